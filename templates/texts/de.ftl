# The words of pages and mails in German.

date = { $day }. { $month } { $year }
month-1 = Januar
month-2 = Februar
month-3 = März
month-4 = April
month-5 = Mai
month-6 = Juni
month-7 = Juli
month-8 = August
month-9 = September
month-10 = Oktober
month-11 = November
month-12 = Dezember

## On every page

layout-skip = Zum Inhalt
layout-back = Zurück zu { $site }

## Subscribing

subscribe-error-title = Fehler: { $newsletter }
subscribe-address = Deine E-Mail-Adresse
subscribe-how-often = Wie oft?
subscribe-bait = Dieses Feld leer lassen
subscribe-button = Abonnieren
subscribe-done-title = Sieh in dein Postfach
subscribe-done-heading = Sieh jetzt in dein Postfach
subscribe-done-text = Wenn die Adresse { $newsletter } bekommen kann, ist eine E-Mail dorthin unterwegs. Öffne sie und drücke den Knopf darin: Erst dann beginnt das Abo.
subscribe-done-note = Nach zehn Minuten noch nichts da? Sieh im Spam-Ordner nach, oder versuche es noch einmal und achte auf die Schreibweise.
subscribe-thanks = Danke
subscribe-thanks-text = Wenn die Adresse es annehmen kann, kommt das nächste { $newsletter } dorthin. Jede Mail hat einen Link zum Abmelden, ein Klick genügt.
subscribe-thanks-note = Wer sich früher abgemeldet hat, bekommt zuerst eine Mail mit einem Knopf.
subscribe-not-yet = Noch nicht ganz
subscribe-wait = Gerade melden sich viele an. Bitte warte { $seconds } Sekunden, bevor du auf den Knopf drückst.
subscribe-name = Dein Name
subscribe-optional = (wenn du magst)
subscribe-topics = Worüber?
subscribe-topics-hint = (nichts gewählt: alles)
subscribe-language = Sprache
subscribe-send-time = Wann soll eine Sammelmail kommen?
subscribe-everybodys-time = Mit der für alle
subscribe-timezone = Deine Zeitzone
subscribe-timezone-empty = (leer: { $zone })
subscribe-again = Bitte sieh es noch einmal durch und drück noch einmal auf den Knopf.
subscribe-work = Gerade melden sich viele an, deshalb braucht es noch einen Druck auf den Knopf.
subscribe-moment = Einen Moment bitte …
subscribe-captcha = Bitte löse zuerst die Aufgabe über dem Knopf.
subscribe-statement = Ich möchte { $newsletter } per Mail bekommen. Zuerst bekomme ich eine Mail mit einem Knopf, um das zu bestätigen. Jede Mail hat einen Link zum Abmelden.
subscribe-statement-at-once = Ich möchte { $newsletter } per Mail bekommen. Jede Mail hat einen Link zum Abmelden.
confirm-statement = Ja, ich möchte { $newsletter } per Mail bekommen.
cadence-instant = Jeden Beitrag, sobald er erscheint
cadence-daily = Einmal am Tag
cadence-weekly = Einmal in der Woche
cadence-monthly = Einmal im Monat
address-missing = Bitte gib deine Adresse an.
address-shape = Eine E-Mail-Adresse hat genau ein „@“ mit Text auf beiden Seiten.
address-local-part-too-long = Der Teil vor dem „@“ ist { $bytes } Bytes lang; Mailserver nehmen höchstens 64 an.
address-too-long = Die Adresse ist { $bytes } Bytes lang; Mailserver nehmen höchstens 254 an.
address-character = „{ $character }“ kann nicht in einer E-Mail-Adresse stehen.
address-local-part = Der Teil vor dem „@“ darf nicht mit einem Punkt oder Bindestrich beginnen oder enden und keine zwei Punkte hintereinander haben.
address-domain = „{ $domain }“ ist keine Domain, an die man E-Mails schicken kann.
address-refused = Mit Adressen bei { $domain } kann man sich hier nicht anmelden.
mistake-empty = Bitte fülle das aus.
mistake-tick = Bitte kreuze das an.
mistake-lines = Das darf nur eine Zeile sein.
mistake-too-long = Das darf höchstens { $most } Zeichen haben.
mistake-number = Bitte schreib eine Zahl.
mistake-date = Bitte schreib einen Tag wie 2026-12-31.
mistake-option = Bitte wähle eins davon.
mistake-cadence = „{ $cadence }“ steht hier nicht zur Wahl. Es gibt: { $offered }.
mistake-topic = Es gibt kein Thema „{ $topic }“.
mistake-language = In „{ $language }“ erscheint es nicht.
mistake-time-zone = „{ $zone }“ ist keine bekannte Zeitzone. Schreib eine wie Europe/Berlin.
mistake-hour = „{ $hour }“ ist keine volle Stunde. Schreib eine wie 07:00.
mistake-newsletter = Diesen Newsletter gibt es nicht mehr.

## Confirming

confirm-title = { $newsletter } bestätigen
confirm-heading = { $newsletter } abonnieren?
confirm-button = Ja, abonnieren
confirm-not-you = Das warst nicht du? Schließ diese Seite, und nichts geschieht.
confirmed-heading = Du bist dabei
confirmed-text = Die nächste Ausgabe von { $newsletter } kommt zu dir. In jeder E-Mail steht ein Link zum Abbestellen, ein Klick genügt.

## Preferences: behind a link in each mail

preferences-title = Dein Abo
preferences-sent-to = Es geht an { $address }.
preferences-ended = Du hast { $newsletter } abbestellt: Du bekommst davon nichts mehr.
preferences-waiting = { $newsletter } wartet auf deine Bestätigung: Drücke den Knopf in der E-Mail, die du bekommen hast.
preferences-saved = Gespeichert.
preferences-topics = Worüber?
preferences-topics-hint = Ist keines angekreuzt, bekommst du alle.
preferences-language = In welcher Sprache?
preferences-time-zone = Deine Zeitzone
preferences-time-zone-hint = Die nächste große Stadt in deiner Zone, zum Beispiel Europe/Berlin. Leer bedeutet { $zone }.
preferences-hour = Um wie viel Uhr?
preferences-hour-hint = Für E-Mails einmal am Tag, in der Woche oder im Monat.
preferences-hour-default = Wann alle es bekommen
preferences-save = Speichern
preferences-pause = Pause machen
preferences-pause-text = In der Zeit kommt nichts, und was du verpasst, wird nicht nachgeschickt.
preferences-pause-two-weeks = Zwei Wochen
preferences-pause-one-month = Einen Monat
preferences-pause-three-months = Drei Monate
preferences-paused = Du machst Pause bis zum { $date }.
preferences-resume = Jetzt weiter
preferences-others = Newsletter von { $site }
preferences-join = { $newsletter } abonnieren
preferences-leave = { $newsletter } abbestellen
preferences-asked = Eine E-Mail ist zu dir unterwegs: Drücke den Knopf darin, um dabei zu sein.
preferences-address = Eine andere Adresse
preferences-address-text = Du bekommst zuerst eine E-Mail an die neue Adresse. Nichts ändert sich, bevor du den Knopf darin drückst.
preferences-address-new = Deine neue E-Mail-Adresse
preferences-address-button = Adresse ändern
preferences-address-asked = Wenn die neue Adresse verwendet werden kann, ist eine E-Mail dorthin unterwegs. Drücke den Knopf darin; bis dahin bleibt alles, wie es ist.
preferences-data = Deine Daten
preferences-data-text = Alles, was über dich gespeichert ist, in einer Datei.
preferences-download = Herunterladen
preferences-delete = Mich löschen
delete-title = Alles löschen?
delete-text = Du bestellst alle Newsletter von { $site } ab, und alles, was über dich gespeichert ist, wird gelöscht. Es bleibt nur ein Code aus deiner Adresse, der sich nicht zurückrechnen lässt: Er verhindert, dass andere dich wieder anmelden.
delete-button = Alles löschen
delete-back = Nein, zurück zu meinem Abo
deleted-heading = Alles ist gelöscht
deleted-text = { $site } weiß nichts mehr über dich und schickt dir keine E-Mails mehr.
address-title = Deine neue Adresse
address-heading = Ist das deine neue Adresse?
address-text = Die E-Mails von { $site } gehen von jetzt an an { $address }.
address-button = Ja, diese Adresse verwenden
address-changed-heading = Deine Adresse ist geändert
address-changed-text = Die E-Mails von { $site } kommen von jetzt an an { $address }.

## Leaving

unsubscribe-title = Abbestellen
unsubscribe-heading = { $newsletter } abbestellen?
unsubscribe-heading-unknown = Abbestellen?
unsubscribe-text = Ohne Fragen. Es gilt sofort, auch für E-Mails, die gerade vorbereitet werden.
unsubscribe-button = Abbestellen
unsubscribe-all = Alle Newsletter von { $site } abbestellen
unsubscribed-heading = Du bist abgemeldet
unsubscribed-newsletter = { $newsletter } kommt nicht mehr zu dir.
unsubscribed-nothing = Mehr ist nicht zu tun.
unsubscribed-list = Von dieser Liste kommt keine E-Mail mehr zu dir.
unsubscribed-thanks = Danke fürs Lesen.
unsubscribed-reason = Magst du sagen, warum?
unsubscribed-reason-hint = Du musst nicht. Es hilft, besser zu werden.
unsubscribed-reason-button = Senden
unsubscribed-reason-thanks = Danke, dass du es gesagt hast.

## What goes wrong

error-not-found = Nicht gefunden
error-gone = Nicht mehr da
error-not-now = Gerade nicht
error-ours = Etwas ist schiefgegangen
error-failed = Das hat nicht geklappt
error-number = Fehler { $status }
refusal-not-found = Unter dieser Adresse gibt es nichts.
refusal-gone = Was hier war, wurde entfernt.
refusal-not-yet = Die Beiträge werden gerade gelesen. Bitte komm in einem Moment wieder.
refusal-too-often = { $minutes ->
    [one] Das war viel auf einmal. Bitte versuche es in { $minutes } Minute noch einmal.
   *[other] Das war viel auf einmal. Bitte versuche es in { $minutes } Minuten noch einmal.
}
refusal-away = Das geht gerade nicht, und es liegt nicht an dir. Bitte versuche es in ein paar Minuten noch einmal.
refusal-fault = Hier ist etwas schiefgegangen, und es liegt nicht an dir. Es wurde notiert.
refusal-form = Das Formular war nicht lesbar. Bitte geh zurück und schick es noch einmal.
refusal-method = Diese Adresse nimmt nur Anfragen anderer Art an.
refusal-elsewhere = Dieses Formular kam von einer fremden Website. Öffne den Link in deiner E-Mail und verwende das Formular dort.
refusal-confirm-link = Dieser Link geht nicht mehr. Er gilt zwei Tage ab der Anmeldung; bitte fülle das Formular noch einmal aus, um einen neuen zu bekommen.
refusal-preferences-link = Dieser Link geht nicht. Nimm den am Ende der neuesten E-Mail, die du bekommen hast. Wenn du keine hast, melde dich noch einmal an: In jeder E-Mail steht so ein Link.
refusal-address-link = Dieser Link geht nicht mehr. Er gilt zwei Tage lang; bitte ändere die Adresse noch einmal in deinen Einstellungen, hinter dem Link am Ende jeder E-Mail.

## In every mail

mail-why = Du bekommst diese E-Mail, weil du { $newsletter } abonniert hast.
mail-leave = { $unsubscribe }: mit einem Klick, wann immer du willst.
mail-leave-below = Abbestellen mit einem Klick, wann immer du willst:
mail-unsubscribe = Abbestellen
mail-preferences = Ändern, was du bekommst
mail-preferences-below = Ändern, wie oft und worüber sie kommt und wohin sie geht:
mail-button = Geht der Knopf nicht? Kopiere diese Adresse in deinen Browser:

## Posts by mail

mail-new-posts = { $count ->
    [one] Ein neuer Beitrag
   *[other] { $count } neue Beiträge
}
mail-new-posts-inside = { $count ->
    [one] ein neuer Beitrag
   *[other] { $count } neue Beiträge
}
mail-and-more = { $title } und { $count } mehr
mail-reading-time = { $minutes } Min. Lesezeit
mail-in-this-mail = In dieser E-Mail
mail-read-on = Weiterlesen
mail-read-on-below = Weiterlesen:
mail-read-on-post = Weiterlesen: { $title }
mail-read-on-at = Weiterlesen auf { $domain }
mail-read-on-at-below = Der Beitrag geht hier weiter. Weiterlesen auf { $domain }:
mail-goes-on = Der Beitrag geht hier weiter.
mail-in-browser = Im Browser ansehen
mail-on-the-web = Im Web lesen:
mail-filed-under = Abgelegt unter { $tags }
mail-correction = Korrektur: { $title }
mail-corrected = Dieser Beitrag wurde korrigiert, nachdem du ihn bekommen hast.

## The mail that asks whether an address is yours

mail-confirm-subject = Bitte bestätigen: { $newsletter }
mail-confirm-preheader = Ein Druck auf den Knopf, und { $newsletter } kommt an diese Adresse.
mail-confirm-heading = Ist das deine Adresse?
mail-confirm-text = Jemand, wahrscheinlich du, möchte { $newsletter } an diese Adresse bekommen.
mail-confirm-button = Ja, abonnieren
mail-confirm-below = Um ja zu sagen, öffne diese Seite und drücke den Knopf:
mail-confirm-not-you = Wenn du das nicht warst, tu nichts: Es kommt keine weitere E-Mail.
mail-confirm-why = Du bekommst diese E-Mail, weil diese Adresse in das Formular von { $site } eingetragen wurde.

## The mails about another address

mail-address-subject = Bitte bestätige deine neue Adresse
mail-address-heading = Ist das deine neue Adresse?
mail-address-text = Jemand, wahrscheinlich du, möchte die E-Mails von { $site } von jetzt an an diese Adresse bekommen.
mail-address-button = Ja, diese Adresse verwenden
mail-address-not-you = Wenn du das nicht warst, tu nichts: Alles bleibt, wie es ist.
mail-address-why = Du bekommst diese E-Mail, weil diese Adresse in den Einstellungen von { $site } eingetragen wurde.
mail-moved-subject = Die E-Mails von { $site } gehen jetzt an eine andere Adresse
mail-moved-heading = Deine Adresse wurde geändert
mail-moved-text = Die E-Mails von { $site } gehen von jetzt an an eine andere Adresse. Das wurde in deinen Einstellungen verlangt und dort bestätigt.
mail-moved-not-you = Wenn du das nicht warst, mach es in deinen Einstellungen rückgängig.
mail-moved-below = Wenn du das nicht warst, mach es in deinen Einstellungen rückgängig:
mail-moved-button = Meine Einstellungen öffnen
mail-moved-why = Du bekommst diese E-Mail, weil { $site } bisher an diese Adresse geschrieben hat.
mail-welcome-subject = Willkommen bei { $newsletter }
mail-welcome-heading = Willkommen
mail-welcome-text = Von jetzt an kommt { $newsletter } zu dir. Diese E-Mail zeigt dir, dass sie ankommt, und von wem.
mail-welcome-choose = Wie oft, worüber und um welche Zeit sie kommt, bestimmst du, heute und jederzeit:
mail-welcome-reply = Ist sie im Spam oder unter Werbung gelandet, dann verschiebe sie in den Posteingang: So weiß dein Mailprogramm, was du willst.
