# The words of pages and mails in Italian.

date = { $day ->
    [1] 1º { $month } { $year }
   *[other] { $day } { $month } { $year }
}
month-1 = gennaio
month-2 = febbraio
month-3 = marzo
month-4 = aprile
month-5 = maggio
month-6 = giugno
month-7 = luglio
month-8 = agosto
month-9 = settembre
month-10 = ottobre
month-11 = novembre
month-12 = dicembre

## On every page

layout-skip = Vai al contenuto
layout-back = Torna a { $site }

## Subscribing

subscribe-error-title = Errore: { $newsletter }
subscribe-address = Il tuo indirizzo email
subscribe-how-often = Con quale frequenza?
subscribe-bait = Lascia vuoto questo campo
subscribe-button = Iscriviti
subscribe-done-title = Controlla la posta
subscribe-done-heading = Ora controlla la posta
subscribe-done-text = Se l’indirizzo può ricevere { $newsletter }, un’email è in arrivo. Aprila e premi il pulsante: solo allora comincia l’iscrizione.
subscribe-done-note = Ancora niente dopo dieci minuti? Guarda nella posta indesiderata, oppure riprova e controlla come hai scritto l’indirizzo.
subscribe-thanks = Grazie
subscribe-thanks-text = Se l’indirizzo può riceverlo, il prossimo { $newsletter } arriverà lì. Ogni messaggio ha un link per disiscriversi, basta un clic.
subscribe-thanks-note = Chi si era disiscritto riceve prima un messaggio con un pulsante.
subscribe-not-yet = Non ancora
subscribe-wait = In questo momento si iscrivono in molti. Attendi { $seconds } secondi prima di premere il pulsante.
subscribe-name = Il tuo nome
subscribe-optional = (se vuoi)
subscribe-topics = Di che cosa?
subscribe-topics-hint = (nessuna scelta: tutto)
subscribe-language = Lingua
subscribe-send-time = Quando deve arrivare il riepilogo?
subscribe-everybodys-time = Insieme a quello di tutti
subscribe-timezone = Il tuo fuso orario
subscribe-timezone-empty = (vuoto: { $zone })
subscribe-again = Ricontrolla e premi ancora una volta il pulsante.
subscribe-work = In questo momento si iscrivono in molti: serve premere il pulsante ancora una volta.
subscribe-moment = Un momento, per favore…
subscribe-captcha = Risolvi prima il rompicapo sopra il pulsante.
subscribe-statement = Voglio ricevere { $newsletter } per e-mail. Prima ricevo un messaggio con un pulsante per confermarlo. Ogni messaggio ha un link per disiscriversi.
subscribe-statement-at-once = Voglio ricevere { $newsletter } per e-mail. Ogni messaggio ha un link per disiscriversi.
confirm-statement = Sì, voglio ricevere { $newsletter } per e-mail.
cadence-instant = Ogni articolo appena esce
cadence-daily = Una volta al giorno
cadence-weekly = Una volta alla settimana
cadence-monthly = Una volta al mese
address-missing = Scrivi il tuo indirizzo.
address-shape = Un indirizzo email ha esattamente una «@», con del testo da entrambi i lati.
address-local-part-too-long = La parte prima della «@» è lunga { $bytes } byte; i server di posta ne accettano al massimo 64.
address-too-long = L’indirizzo è lungo { $bytes } byte; i server di posta ne accettano al massimo 254.
address-character = «{ $character }» non può stare in un indirizzo email.
address-local-part = La parte prima della «@» non può iniziare o finire con un punto o un trattino, né avere due punti di seguito.
address-domain = «{ $domain }» non è un dominio a cui si può mandare posta.
address-refused = Con gli indirizzi di { $domain } non ci si può iscrivere qui.
mistake-empty = Compila questo campo.
mistake-tick = Spunta questa casella.
mistake-lines = Qui può stare una sola riga.
mistake-too-long = Qui possono stare al massimo { $most } caratteri.
mistake-number = Scrivi un numero.
mistake-date = Scrivi una data come 2026-12-31.
mistake-option = Scegli una di queste risposte.
mistake-cadence = «{ $cadence }» qui non si può scegliere. Ci sono: { $offered }.
mistake-topic = Non c’è nessun tema «{ $topic }».
mistake-language = Non esce in «{ $language }».
mistake-time-zone = «{ $zone }» non è un fuso orario noto. Scrivine uno come Europe/Rome.
mistake-hour = «{ $hour }» non è un’ora intera. Scrivine una come 07:00.
mistake-newsletter = Questa newsletter non c’è più.

## Confirming

confirm-title = Conferma { $newsletter }
confirm-heading = Vuoi iscriverti a { $newsletter }?
confirm-button = Sì, iscrivimi
confirm-not-you = Non eri tu? Chiudi questa pagina e non succede nulla.
confirmed-heading = L’iscrizione è attiva
confirmed-text = Riceverai il prossimo numero di { $newsletter }. Ogni email contiene un link per disiscriverti, basta un clic.

## Preferences: behind a link in each mail

preferences-title = La tua iscrizione
preferences-sent-to = Arriva a { $address }.
preferences-ended = Hai lasciato { $newsletter }: non ti arriva più.
preferences-waiting = { $newsletter } aspetta la tua conferma: premi il pulsante nell’email che hai ricevuto.
preferences-saved = Salvato.
preferences-topics = Su che cosa?
preferences-topics-hint = Se non ne scegli nessuno, li ricevi tutti.
preferences-language = In quale lingua?
preferences-time-zone = Il tuo fuso orario
preferences-time-zone-hint = La grande città più vicina nel tuo fuso, per esempio Europe/Rome. Vuoto significa { $zone }.
preferences-hour = A che ora?
preferences-hour-hint = Per le email una volta al giorno, alla settimana o al mese.
preferences-hour-default = Quando la ricevono tutti
preferences-save = Salva
preferences-pause = Fai una pausa
preferences-pause-text = Nel frattempo non arriva nulla, e ciò che perdi non viene inviato dopo.
preferences-pause-two-weeks = Due settimane
preferences-pause-one-month = Un mese
preferences-pause-three-months = Tre mesi
preferences-paused = In pausa fino al { $date }.
preferences-resume = Riprendi ora
preferences-others = Le newsletter di { $site }
preferences-join = Iscriviti a { $newsletter }
preferences-leave = Lascia { $newsletter }
preferences-asked = Un’email è in arrivo: premi il suo pulsante per iscriverti.
preferences-address = Un altro indirizzo
preferences-address-text = Prima ricevi un’email al nuovo indirizzo. Non cambia nulla finché non premi il suo pulsante.
preferences-address-new = Il tuo nuovo indirizzo email
preferences-address-button = Cambia l’indirizzo
preferences-address-asked = Se il nuovo indirizzo si può usare, un’email è in arrivo. Premi il suo pulsante; fino ad allora tutto resta com’è.
preferences-data = I tuoi dati
preferences-data-text = Tutto ciò che conserviamo su di te, in un file.
preferences-download = Scarica
preferences-delete = Cancellami
delete-title = Cancellare tutto?
delete-text = Lasci tutte le newsletter di { $site } e tutto ciò che è conservato su di te viene cancellato. Resta solo un codice ricavato dal tuo indirizzo, da cui non si può risalire a esso: impedisce che altri ti iscrivano di nuovo.
delete-button = Cancella tutto
delete-back = No, torna alla mia iscrizione
deleted-heading = Tutto è cancellato
deleted-text = { $site } non sa più nulla di te e non ti manda più email.
address-title = Il tuo nuovo indirizzo
address-heading = È questo il tuo nuovo indirizzo?
address-text = D’ora in poi le email di { $site } andranno a { $address }.
address-button = Sì, usa questo indirizzo
address-changed-heading = Il tuo indirizzo è cambiato
address-changed-text = D’ora in poi le email di { $site } arrivano a { $address }.

## Leaving

unsubscribe-title = Disiscrizione
unsubscribe-heading = Lasciare { $newsletter }?
unsubscribe-heading-unknown = Lasciare la lista?
unsubscribe-text = Senza domande. Ha effetto subito, anche per le email in preparazione.
unsubscribe-button = Disiscrivimi
unsubscribe-all = Lascia tutte le newsletter di { $site }
unsubscribed-heading = Non sei più nella lista
unsubscribed-newsletter = { $newsletter } non ti arriva più.
unsubscribed-nothing = Non c’è altro da fare.
unsubscribed-list = Da questa lista non ti arriva più posta.
unsubscribed-thanks = Grazie per aver letto.
unsubscribed-reason = Vuoi dire perché?
unsubscribed-reason-hint = Non è necessario. Aiuta a migliorare.
unsubscribed-reason-button = Invia
unsubscribed-reason-thanks = Grazie per avercelo detto.

## What goes wrong

error-not-found = Non trovato
error-gone = Non c’è più
error-not-now = Non in questo momento
error-ours = Qualcosa è andato storto
error-failed = Non ha funzionato
error-number = Errore { $status }
refusal-not-found = A questo indirizzo non c’è nulla.
refusal-gone = Ciò che era qui è stato rimosso.
refusal-not-yet = Gli articoli sono in lettura. Torna tra un momento.
refusal-too-often = { $minutes ->
    [one] Era troppo in una volta. Riprova tra { $minutes } minuto.
   *[other] Era troppo in una volta. Riprova tra { $minutes } minuti.
}
refusal-away = In questo momento non funziona, e non è colpa tua. Riprova tra qualche minuto.
refusal-fault = Qualcosa qui è andato storto, e non è colpa tua. È stato annotato.
refusal-form = Non è stato possibile leggere il modulo. Torna indietro e invialo di nuovo.
refusal-method = Questo indirizzo accetta richieste di altro tipo.
refusal-elsewhere = Questo modulo è stato inviato da un altro sito. Apri il link nella tua email e usa il modulo che trovi lì.
refusal-confirm-link = Questo link non funziona più. Vale due giorni dalla richiesta di iscrizione; compila di nuovo il modulo per riceverne uno nuovo.
refusal-preferences-link = Questo link non funziona. Usa quello in fondo all’ultima email che hai ricevuto. Se non ne hai, iscriviti di nuovo: ogni email contiene un link così.
refusal-address-link = Questo link non funziona più. Vale due giorni; chiedi di nuovo il cambio nelle tue preferenze, con il link in fondo a ogni email.

## In every mail

mail-why = Ricevi questa email perché ti sei iscritto a { $newsletter }.
mail-leave = { $unsubscribe } con un clic, quando vuoi.
mail-leave-below = Disiscriviti con un clic, quando vuoi:
mail-unsubscribe = Disiscriviti
mail-preferences = Cambia ciò che ricevi
mail-preferences-below = Cambia la frequenza, gli argomenti o l’indirizzo:
mail-button = Il pulsante non funziona? Copia questo indirizzo nel browser:

## Posts by mail

mail-new-posts = { $count ->
    [one] Un nuovo articolo
   *[other] { $count } nuovi articoli
}
mail-new-posts-inside = { $count ->
    [one] un nuovo articolo
   *[other] { $count } nuovi articoli
}
mail-and-more = { $count ->
    [one] { $title } e un altro
   *[other] { $title } e altri { $count }
}
mail-reading-time = { $minutes } min di lettura
mail-in-this-mail = In questa email
mail-read-on = Continua a leggere
mail-read-on-below = Continua a leggere:
mail-read-on-post = Continua a leggere: { $title }
mail-read-on-at = Continua a leggere su { $domain }
mail-read-on-at-below = L’articolo continua. Continua a leggere su { $domain }:
mail-goes-on = L’articolo continua.
mail-in-browser = Apri nel browser
mail-on-the-web = Leggi sul web:
mail-filed-under = Archiviato in { $tags }
mail-correction = Correzione: { $title }
mail-corrected = Questo articolo è stato corretto dopo che l’hai ricevuto.

## The mail that asks whether an address is yours

mail-confirm-subject = Conferma: { $newsletter }
mail-confirm-preheader = Premi un pulsante, e { $newsletter } arriverà a questo indirizzo.
mail-confirm-heading = È tuo questo indirizzo?
mail-confirm-text = Qualcuno, probabilmente tu, ha chiesto di ricevere { $newsletter } a questo indirizzo.
mail-confirm-button = Sì, iscrivimi
mail-confirm-below = Per dire di sì, apri questa pagina e premi il pulsante:
mail-confirm-not-you = Se non eri tu, non fare nulla: non arriverà altra posta.
mail-confirm-why = Ricevi questa email perché questo indirizzo è stato inserito nel modulo di { $site }.

## The mails about another address

mail-address-subject = Conferma il tuo nuovo indirizzo
mail-address-heading = È questo il tuo nuovo indirizzo?
mail-address-text = Qualcuno, probabilmente tu, ha chiesto di ricevere d’ora in poi le email di { $site } a questo indirizzo.
mail-address-button = Sì, usa questo indirizzo
mail-address-not-you = Se non eri tu, non fare nulla: tutto resta com’è.
mail-address-why = Ricevi questa email perché questo indirizzo è stato inserito nelle preferenze di { $site }.
mail-moved-subject = Le email di { $site } ora vanno a un altro indirizzo
mail-moved-heading = Il tuo indirizzo è stato cambiato
mail-moved-text = D’ora in poi le email di { $site } vanno a un altro indirizzo. È stato chiesto nelle tue preferenze e confermato da quell’indirizzo.
mail-moved-not-you = Se non eri tu, rimettilo com’era nelle tue preferenze.
mail-moved-below = Se non eri tu, rimettilo com’era nelle tue preferenze:
mail-moved-button = Apri le mie preferenze
mail-moved-why = Ricevi questa email perché finora { $site } scriveva a questo indirizzo.
mail-welcome-subject = Ti diamo il benvenuto in { $newsletter }
mail-welcome-heading = Ti diamo il benvenuto
mail-welcome-text = D’ora in poi ricevi { $newsletter }. Questa email ti mostra che arriva, e da chi.
mail-welcome-choose = Quanto spesso arriva, di cosa parla e a che ora lo decidi tu, oggi e in ogni momento:
mail-welcome-reply = Se è finita nello spam o nelle promozioni, spostala nella posta in arrivo: così il tuo programma di posta sa che cosa vuoi.
