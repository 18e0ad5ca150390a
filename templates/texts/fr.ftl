# The words of pages and mails in French.

date = { $day ->
    [1] 1er { $month } { $year }
   *[other] { $day } { $month } { $year }
}
month-1 = janvier
month-2 = février
month-3 = mars
month-4 = avril
month-5 = mai
month-6 = juin
month-7 = juillet
month-8 = août
month-9 = septembre
month-10 = octobre
month-11 = novembre
month-12 = décembre

## On every page

layout-skip = Aller au contenu
layout-back = Retour à { $site }

## Subscribing

subscribe-error-title = Erreur : { $newsletter }
subscribe-address = Votre adresse e-mail
subscribe-how-often = À quelle fréquence ?
subscribe-bait = Laissez ce champ vide
subscribe-button = S’abonner
subscribe-done-title = Consultez vos e-mails
subscribe-done-heading = Consultez maintenant vos e-mails
subscribe-done-text = Si cette adresse peut recevoir { $newsletter }, un e-mail est en route. Ouvrez-le et appuyez sur le bouton : l’abonnement ne commence qu’à ce moment-là.
subscribe-done-note = Toujours rien après dix minutes ? Regardez dans les courriers indésirables, ou réessayez en vérifiant l’orthographe.
subscribe-thanks = Merci
subscribe-thanks-text = Si l’adresse peut le recevoir, le prochain { $newsletter } y arrivera. Chaque message contient un lien de désinscription, un seul clic suffit.
subscribe-thanks-note = Les personnes déjà désinscrites reçoivent d’abord un message avec un bouton.
subscribe-not-yet = Pas tout à fait
subscribe-wait = Beaucoup de personnes s’inscrivent en ce moment. Merci d’attendre { $seconds } secondes avant d’appuyer sur le bouton.
subscribe-name = Votre nom
subscribe-optional = (facultatif)
subscribe-topics = Sur quels sujets ?
subscribe-topics-hint = (aucun choix : tout)
subscribe-language = Langue
subscribe-send-time = Quand envoyer le récapitulatif ?
subscribe-everybodys-time = En même temps que pour tout le monde
subscribe-timezone = Votre fuseau horaire
subscribe-timezone-empty = (vide : { $zone })
subscribe-again = Merci de vérifier et d’appuyer encore une fois sur le bouton.
subscribe-work = Beaucoup de personnes s’inscrivent en ce moment : appuyez encore une fois sur le bouton.
subscribe-moment = Un instant, s’il vous plaît…
subscribe-captcha = Merci de résoudre d’abord l’énigme au-dessus du bouton.
subscribe-statement = Je souhaite recevoir { $newsletter } par e-mail. Je reçois d’abord un message avec un bouton pour le confirmer. Chaque message contient un lien de désinscription.
subscribe-statement-at-once = Je souhaite recevoir { $newsletter } par e-mail. Chaque message contient un lien de désinscription.
confirm-statement = Oui, je souhaite recevoir { $newsletter } par e-mail.
cadence-instant = Chaque article dès sa parution
cadence-daily = Une fois par jour
cadence-weekly = Une fois par semaine
cadence-monthly = Une fois par mois
address-missing = Merci d’indiquer votre adresse.
address-shape = Une adresse e-mail contient exactement un « @ », avec du texte de chaque côté.
address-local-part-too-long = La partie avant le « @ » fait { $bytes } octets ; les serveurs de messagerie en acceptent 64 au plus.
address-too-long = L’adresse fait { $bytes } octets ; les serveurs de messagerie en acceptent 254 au plus.
address-character = « { $character } » ne peut pas figurer dans une adresse e-mail.
address-local-part = La partie avant le « @ » ne peut ni commencer ni finir par un point ou un tiret, ni contenir deux points de suite.
address-domain = « { $domain } » n’est pas un domaine auquel on peut envoyer des e-mails.
address-refused = On ne peut pas s’inscrire ici avec une adresse chez { $domain }.
mistake-empty = Merci de remplir ce champ.
mistake-tick = Merci de cocher cette case.
mistake-lines = Une seule ligne est possible ici.
mistake-too-long = Ce champ accepte { $most } caractères au plus.
mistake-number = Merci d’écrire un nombre.
mistake-date = Merci d’écrire une date comme 2026-12-31.
mistake-option = Merci de choisir une de ces réponses.
mistake-cadence = « { $cadence } » ne peut pas être choisi ici. Il y a : { $offered }.
mistake-topic = Il n’y a pas de sujet « { $topic } ».
mistake-language = La langue « { $language } » n’est pas proposée.
mistake-time-zone = « { $zone } » n’est pas un fuseau horaire connu. Écrivez-en un comme Europe/Paris.
mistake-hour = « { $hour } » n’est pas une heure pile. Écrivez-en une comme 07:00.
mistake-newsletter = Cette newsletter n’existe plus.

## Confirming

confirm-title = Confirmer { $newsletter }
confirm-heading = S’abonner à { $newsletter } ?
confirm-button = Oui, je m’abonne
confirm-not-you = Ce n’était pas vous ? Fermez cette page, et rien ne se passera.
confirmed-heading = Vous êtes sur la liste
confirmed-text = Vous recevrez le prochain numéro de { $newsletter }. Chaque e-mail contient un lien de désabonnement, un clic suffit.

## Preferences: behind a link in each mail

preferences-title = Votre abonnement
preferences-sent-to = Envoyé à { $address }.
preferences-ended = Vous avez quitté { $newsletter } : vous ne le recevez plus.
preferences-waiting = { $newsletter } attend votre confirmation : appuyez sur le bouton dans l’e-mail que vous avez reçu.
preferences-saved = Enregistré.
preferences-topics = À quel sujet ?
preferences-topics-hint = Si rien n’est coché, vous les recevez tous.
preferences-language = Dans quelle langue ?
preferences-time-zone = Votre fuseau horaire
preferences-time-zone-hint = La grande ville la plus proche de votre fuseau, par exemple Europe/Paris. Vide signifie { $zone }.
preferences-hour = À quelle heure ?
preferences-hour-hint = Pour les e-mails une fois par jour, par semaine ou par mois.
preferences-hour-default = En même temps que tout le monde
preferences-save = Enregistrer
preferences-pause = Faire une pause
preferences-pause-text = Rien n’arrive pendant ce temps, et ce que vous manquez n’est pas envoyé plus tard.
preferences-pause-two-weeks = Deux semaines
preferences-pause-one-month = Un mois
preferences-pause-three-months = Trois mois
preferences-paused = Vous faites une pause jusqu’au { $date }.
preferences-resume = Reprendre maintenant
preferences-others = Les newsletters de { $site }
preferences-join = S’abonner à { $newsletter }
preferences-leave = Quitter { $newsletter }
preferences-asked = Un e-mail est en route : appuyez sur le bouton qu’il contient pour vous abonner.
preferences-address = Une autre adresse
preferences-address-text = Vous recevrez d’abord un e-mail à la nouvelle adresse. Rien ne change tant que vous n’avez pas appuyé sur son bouton.
preferences-address-new = Votre nouvelle adresse e-mail
preferences-address-button = Changer d’adresse
preferences-address-asked = Si la nouvelle adresse peut être utilisée, un e-mail est en route. Appuyez sur son bouton ; d’ici là, tout reste comme avant.
preferences-data = Vos données
preferences-data-text = Tout ce qui est conservé à votre sujet, dans un fichier.
preferences-download = Télécharger
preferences-delete = Me supprimer
delete-title = Tout supprimer ?
delete-text = Vous quittez toutes les newsletters de { $site }, et tout ce qui est conservé à votre sujet est supprimé. Il ne reste qu’un code tiré de votre adresse, qui ne permet pas de la retrouver : il empêche qu’on vous abonne à nouveau.
delete-button = Tout supprimer
delete-back = Non, retour à mon abonnement
deleted-heading = Tout est supprimé
deleted-text = { $site } ne sait plus rien de vous et ne vous envoie plus d’e-mails.
address-title = Votre nouvelle adresse
address-heading = Est-ce votre nouvelle adresse ?
address-text = Désormais, les e-mails de { $site } iront à { $address }.
address-button = Oui, utiliser cette adresse
address-changed-heading = Votre adresse est changée
address-changed-text = Désormais, les e-mails de { $site } arrivent à { $address }.

## Leaving

unsubscribe-title = Se désabonner
unsubscribe-heading = Quitter { $newsletter } ?
unsubscribe-heading-unknown = Quitter la liste ?
unsubscribe-text = Sans aucune question. C’est immédiat, même pour les e-mails en préparation.
unsubscribe-button = Se désabonner
unsubscribe-all = Quitter toutes les newsletters de { $site }
unsubscribed-heading = Vous n’êtes plus sur la liste
unsubscribed-newsletter = Vous ne recevez plus { $newsletter }.
unsubscribed-nothing = Il n’y a plus rien à faire.
unsubscribed-list = Vous ne recevrez plus d’e-mails de cette liste.
unsubscribed-thanks = Merci de nous avoir lus.
unsubscribed-reason = Voulez-vous dire pourquoi ?
unsubscribed-reason-hint = Rien ne vous y oblige. Cela aide à faire mieux.
unsubscribed-reason-button = Envoyer
unsubscribed-reason-thanks = Merci de nous l’avoir dit.

## What goes wrong

error-not-found = Introuvable
error-gone = Disparu
error-not-now = Pas maintenant
error-ours = Un problème est survenu
error-failed = Cela n’a pas marché
error-number = Erreur { $status }
refusal-not-found = Il n’y a rien à cette adresse.
refusal-gone = Ce qui se trouvait ici a été retiré.
refusal-not-yet = Les articles sont en cours de lecture. Revenez dans un instant.
refusal-too-often = { $minutes ->
    [one] C’était beaucoup d’un coup. Réessayez dans { $minutes } minute.
   *[other] C’était beaucoup d’un coup. Réessayez dans { $minutes } minutes.
}
refusal-away = Cela ne marche pas en ce moment, et vous n’y êtes pour rien. Réessayez dans quelques minutes.
refusal-fault = Un problème est survenu ici, et vous n’y êtes pour rien. Il a été noté.
refusal-form = Le formulaire n’a pas pu être lu. Revenez en arrière et envoyez-le à nouveau.
refusal-method = Cette adresse attend des requêtes d’un autre type.
refusal-elsewhere = Ce formulaire a été envoyé depuis un autre site. Ouvrez le lien de votre e-mail et utilisez le formulaire qui s’y trouve.
refusal-confirm-link = Ce lien ne marche plus. Il est valable deux jours après la demande d’abonnement ; remplissez à nouveau le formulaire pour en recevoir un autre.
refusal-preferences-link = Ce lien ne marche pas. Prenez celui qui se trouve à la fin du dernier e-mail reçu. Si vous n’en avez pas, abonnez-vous à nouveau : chaque e-mail contient un tel lien.
refusal-address-link = Ce lien ne marche plus. Il est valable deux jours ; redemandez le changement dans vos préférences, par le lien à la fin de chaque e-mail.

## In every mail

mail-why = Vous recevez cet e-mail parce que vous êtes abonné à { $newsletter }.
mail-leave = { $unsubscribe } en un clic, quand vous voulez.
mail-leave-below = Se désabonner en un clic, quand vous voulez :
mail-unsubscribe = Se désabonner
mail-preferences = Changer ce que vous recevez
mail-preferences-below = Changer la fréquence, les sujets ou l’adresse :
mail-button = Le bouton ne marche pas ? Copiez cette adresse dans votre navigateur :

## Posts by mail

mail-new-posts = { $count ->
    [one] Un nouvel article
   *[other] { $count } nouveaux articles
}
mail-new-posts-inside = { $count ->
    [one] un nouvel article
   *[other] { $count } nouveaux articles
}
mail-and-more = { $count ->
    [one] { $title } et un autre
   *[other] { $title } et { $count } autres
}
mail-reading-time = { $minutes } min de lecture
mail-in-this-mail = Dans cet e-mail
mail-read-on = Lire la suite
mail-read-on-below = Lire la suite :
mail-read-on-post = Lire la suite : { $title }
mail-read-on-at = Lire la suite sur { $domain }
mail-read-on-at-below = L’article continue. Lire la suite sur { $domain } :
mail-goes-on = L’article continue.
mail-in-browser = Voir dans le navigateur
mail-on-the-web = Lire sur le web :
mail-filed-under = Classé sous { $tags }
mail-correction = Correction : { $title }
mail-corrected = Cet article a été corrigé après votre réception.

## The mail that asks whether an address is yours

mail-confirm-subject = À confirmer : { $newsletter }
mail-confirm-preheader = Appuyez sur le bouton, et { $newsletter } arrivera à cette adresse.
mail-confirm-heading = Cette adresse est-elle la vôtre ?
mail-confirm-text = Quelqu’un, sans doute vous, a demandé à recevoir { $newsletter } à cette adresse.
mail-confirm-button = Oui, je m’abonne
mail-confirm-below = Pour dire oui, ouvrez cette page et appuyez sur le bouton :
mail-confirm-not-you = Si ce n’était pas vous, ne faites rien : il n’y aura pas d’autre e-mail.
mail-confirm-why = Vous recevez cet e-mail parce que cette adresse a été saisie dans le formulaire de { $site }.

## The mails about another address

mail-address-subject = Confirmez votre nouvelle adresse
mail-address-heading = Est-ce votre nouvelle adresse ?
mail-address-text = Quelqu’un, sans doute vous, a demandé à recevoir désormais les e-mails de { $site } à cette adresse.
mail-address-button = Oui, utiliser cette adresse
mail-address-not-you = Si ce n’était pas vous, ne faites rien : tout reste comme avant.
mail-address-why = Vous recevez cet e-mail parce que cette adresse a été saisie dans les préférences de { $site }.
mail-moved-subject = Les e-mails de { $site } vont désormais à une autre adresse
mail-moved-heading = Votre adresse a été changée
mail-moved-text = Désormais, les e-mails de { $site } vont à une autre adresse. Cela a été demandé dans vos préférences et confirmé à cette adresse.
mail-moved-not-you = Si ce n’était pas vous, revenez à l’ancienne adresse dans vos préférences.
mail-moved-below = Si ce n’était pas vous, revenez à l’ancienne adresse dans vos préférences :
mail-moved-button = Ouvrir mes préférences
mail-moved-why = Vous recevez cet e-mail parce que { $site } écrivait jusqu’ici à cette adresse.
mail-welcome-subject = Bienvenue dans { $newsletter }
mail-welcome-heading = Bienvenue
mail-welcome-text = Désormais, vous recevez { $newsletter }. Cet e-mail vous montre qu’il arrive bien, et de qui il vient.
mail-welcome-choose = Sa fréquence, ses sujets et son heure, c’est vous qui les choisissez, aujourd’hui et à tout moment :
mail-welcome-reply = S’il est arrivé dans les indésirables ou les promotions, déplacez-le dans votre boîte de réception : votre messagerie saura ce que vous voulez.
