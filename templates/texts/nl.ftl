# The words of pages and mails in Dutch.

date = { $day } { $month } { $year }
month-1 = januari
month-2 = februari
month-3 = maart
month-4 = april
month-5 = mei
month-6 = juni
month-7 = juli
month-8 = augustus
month-9 = september
month-10 = oktober
month-11 = november
month-12 = december

## On every page

layout-skip = Naar de inhoud
layout-back = Terug naar { $site }

## Subscribing

subscribe-error-title = Fout: { $newsletter }
subscribe-address = Je e-mailadres
subscribe-how-often = Hoe vaak?
subscribe-bait = Laat dit leeg
subscribe-button = Abonneren
subscribe-done-title = Kijk in je mail
subscribe-done-heading = Kijk nu in je mail
subscribe-done-text = Als het adres { $newsletter } kan ontvangen, is er een e-mail onderweg. Open die en druk op de knop: pas dan begint het abonnement.
subscribe-done-note = Na tien minuten nog niets? Kijk bij de ongewenste mail, of probeer het opnieuw en let op de spelling.
subscribe-thanks = Bedankt
subscribe-thanks-text = Als het adres het kan ontvangen, komt de volgende { $newsletter } daar aan. Elke mail heeft een link om af te melden, één klik is genoeg.
subscribe-thanks-note = Wie zich eerder afmeldde, krijgt eerst een mail met een knop.
subscribe-not-yet = Nog niet helemaal
subscribe-wait = Er melden zich nu veel mensen aan. Wacht { $seconds } seconden voordat je op de knop drukt.
subscribe-name = Je naam
subscribe-optional = (als je wilt)
subscribe-topics = Waarover?
subscribe-topics-hint = (niets gekozen: alles)
subscribe-language = Taal
subscribe-send-time = Wanneer moet een overzicht komen?
subscribe-everybodys-time = Met dat van iedereen
subscribe-timezone = Je tijdzone
subscribe-timezone-empty = (leeg: { $zone })
subscribe-again = Kijk het nog eens na en druk nog een keer op de knop.
subscribe-work = Er melden zich nu veel mensen aan, daarom is nog een druk op de knop nodig.
subscribe-moment = Een ogenblik geduld …
subscribe-captcha = Los eerst de puzzel boven de knop op.
subscribe-statement = Ik wil { $newsletter } per mail ontvangen. Eerst krijg ik één mail met een knop om dat te bevestigen. Elke mail heeft een link om af te melden.
subscribe-statement-at-once = Ik wil { $newsletter } per mail ontvangen. Elke mail heeft een link om af te melden.
confirm-statement = Ja, ik wil { $newsletter } per mail ontvangen.
cadence-instant = Elk artikel zodra het verschijnt
cadence-daily = Eén keer per dag
cadence-weekly = Eén keer per week
cadence-monthly = Eén keer per maand
address-missing = Vul je adres in.
address-shape = Een e-mailadres heeft precies één ‘@’, met tekst aan beide kanten.
address-local-part-too-long = Het deel vóór de ‘@’ is { $bytes } bytes lang; mailservers accepteren er hoogstens 64.
address-too-long = Het adres is { $bytes } bytes lang; mailservers accepteren er hoogstens 254.
address-character = ‘{ $character }’ kan niet in een e-mailadres staan.
address-local-part = Het deel vóór de ‘@’ mag niet beginnen of eindigen met een punt of een streepje, en geen twee punten achter elkaar hebben.
address-domain = ‘{ $domain }’ is geen domein waar e-mail naartoe kan.
address-refused = Met adressen bij { $domain } kun je je hier niet aanmelden.
mistake-empty = Vul dit in.
mistake-tick = Vink dit aan.
mistake-lines = Hier past maar één regel.
mistake-too-long = Hier passen hoogstens { $most } tekens.
mistake-number = Schrijf een getal.
mistake-date = Schrijf een datum zoals 2026-12-31.
mistake-option = Kies een van deze antwoorden.
mistake-cadence = ‘{ $cadence }’ kun je hier niet kiezen. Er is: { $offered }.
mistake-topic = Er is geen onderwerp ‘{ $topic }’.
mistake-language = Het verschijnt niet in ‘{ $language }’.
mistake-time-zone = ‘{ $zone }’ is geen bekende tijdzone. Schrijf er een zoals Europe/Amsterdam.
mistake-hour = ‘{ $hour }’ is geen heel uur. Schrijf er een zoals 07:00.
mistake-newsletter = Deze nieuwsbrief bestaat niet meer.

## Confirming

confirm-title = { $newsletter } bevestigen
confirm-heading = Abonneren op { $newsletter }?
confirm-button = Ja, abonneer mij
confirm-not-you = Was jij het niet? Sluit deze pagina, dan gebeurt er niets.
confirmed-heading = Je staat op de lijst
confirmed-text = De volgende { $newsletter } komt naar je toe. In elke e-mail staat een link om je af te melden, één klik is genoeg.

## Preferences: behind a link in each mail

preferences-title = Je abonnement
preferences-sent-to = Het gaat naar { $address }.
preferences-ended = Je hebt je afgemeld voor { $newsletter }: je krijgt het niet meer.
preferences-waiting = { $newsletter } wacht op je bevestiging: druk op de knop in de e-mail die je hebt gekregen.
preferences-saved = Opgeslagen.
preferences-topics = Waarover?
preferences-topics-hint = Niets aangevinkt betekent allemaal.
preferences-language = In welke taal?
preferences-time-zone = Je tijdzone
preferences-time-zone-hint = De dichtstbijzijnde grote stad in je zone, bijvoorbeeld Europe/Amsterdam. Leeg betekent { $zone }.
preferences-hour = Hoe laat?
preferences-hour-hint = Voor e-mails één keer per dag, week of maand.
preferences-hour-default = Wanneer iedereen het krijgt
preferences-save = Opslaan
preferences-pause = Even pauze
preferences-pause-text = Intussen komt er niets, en wat je mist wordt niet nagestuurd.
preferences-pause-two-weeks = Twee weken
preferences-pause-one-month = Een maand
preferences-pause-three-months = Drie maanden
preferences-paused = Je hebt pauze tot { $date }.
preferences-resume = Nu verdergaan
preferences-others = Nieuwsbrieven van { $site }
preferences-join = Abonneren op { $newsletter }
preferences-leave = { $newsletter } opzeggen
preferences-asked = Er is een e-mail naar je onderweg: druk op de knop daarin om mee te doen.
preferences-address = Een ander adres
preferences-address-text = Je krijgt eerst een e-mail op het nieuwe adres. Er verandert niets tot je op de knop daarin drukt.
preferences-address-new = Je nieuwe e-mailadres
preferences-address-button = Adres wijzigen
preferences-address-asked = Als het nieuwe adres gebruikt kan worden, is er een e-mail onderweg. Druk op de knop daarin; tot dan blijft alles zoals het is.
preferences-data = Je gegevens
preferences-data-text = Alles wat over je bewaard wordt, in één bestand.
preferences-download = Downloaden
preferences-delete = Verwijder mij
delete-title = Alles verwijderen?
delete-text = Je zegt alle nieuwsbrieven van { $site } op, en alles wat over je bewaard wordt, wordt verwijderd. Er blijft alleen een code over die van je adres is gemaakt en niet terug te rekenen is: die voorkomt dat anderen je weer aanmelden.
delete-button = Alles verwijderen
delete-back = Nee, terug naar mijn abonnement
deleted-heading = Alles is verwijderd
deleted-text = { $site } weet niets meer over je en stuurt je geen e-mail meer.
address-title = Je nieuwe adres
address-heading = Is dit je nieuwe adres?
address-text = Vanaf nu gaat de e-mail van { $site } naar { $address }.
address-button = Ja, gebruik dit adres
address-changed-heading = Je adres is gewijzigd
address-changed-text = Vanaf nu komt de e-mail van { $site } aan op { $address }.

## Leaving

unsubscribe-title = Afmelden
unsubscribe-heading = { $newsletter } opzeggen?
unsubscribe-heading-unknown = Afmelden?
unsubscribe-text = Zonder vragen. Het gaat meteen in, ook voor e-mail die nu wordt voorbereid.
unsubscribe-button = Afmelden
unsubscribe-all = Alle nieuwsbrieven van { $site } opzeggen
unsubscribed-heading = Je bent afgemeld
unsubscribed-newsletter = { $newsletter } komt niet meer naar je toe.
unsubscribed-nothing = Verder hoef je niets te doen.
unsubscribed-list = Van deze lijst krijg je geen e-mail meer.
unsubscribed-thanks = Bedankt voor het lezen.
unsubscribed-reason = Wil je zeggen waarom?
unsubscribed-reason-hint = Het hoeft niet. Het helpt om beter te worden.
unsubscribed-reason-button = Versturen
unsubscribed-reason-thanks = Bedankt dat je het zegt.

## What goes wrong

error-not-found = Niet gevonden
error-gone = Niet meer hier
error-not-now = Nu even niet
error-ours = Er ging iets mis
error-failed = Dat is niet gelukt
error-number = Fout { $status }
refusal-not-found = Op dit adres is niets te vinden.
refusal-gone = Wat hier stond, is weggehaald.
refusal-not-yet = De artikelen worden gelezen. Kom zo terug.
refusal-too-often = { $minutes ->
    [one] Dat was veel tegelijk. Probeer het over { $minutes } minuut opnieuw.
   *[other] Dat was veel tegelijk. Probeer het over { $minutes } minuten opnieuw.
}
refusal-away = Dit werkt nu niet, en dat ligt niet aan jou. Probeer het over een paar minuten opnieuw.
refusal-fault = Er ging hier iets mis, en dat ligt niet aan jou. Het is genoteerd.
refusal-form = Het formulier was niet te lezen. Ga terug en verstuur het opnieuw.
refusal-method = Dit adres neemt een ander soort verzoeken aan.
refusal-elsewhere = Dit formulier kwam van een andere site. Open de link in je e-mail en gebruik het formulier daar.
refusal-confirm-link = Deze link werkt niet meer. Hij is twee dagen geldig na je aanmelding; vul het formulier opnieuw in voor een nieuwe.
refusal-preferences-link = Deze link werkt niet. Neem die onderaan de nieuwste e-mail die je hebt gekregen. Heb je er geen, meld je dan opnieuw aan: in elke e-mail staat zo’n link.
refusal-address-link = Deze link werkt niet meer. Hij is twee dagen geldig; vraag de wijziging opnieuw aan in je voorkeuren, via de link onderaan elke e-mail.

## In every mail

mail-why = Je krijgt deze e-mail omdat je geabonneerd bent op { $newsletter }.
mail-leave = { $unsubscribe } met één klik, wanneer je maar wilt.
mail-leave-below = Afmelden met één klik, wanneer je maar wilt:
mail-unsubscribe = Afmelden
mail-preferences = Wijzig wat je krijgt
mail-preferences-below = Wijzig hoe vaak, waarover en waarheen:
mail-button = Werkt de knop niet? Kopieer dit adres naar je browser:

## Posts by mail

mail-new-posts = { $count ->
    [one] Eén nieuw artikel
   *[other] { $count } nieuwe artikelen
}
mail-new-posts-inside = { $count ->
    [one] één nieuw artikel
   *[other] { $count } nieuwe artikelen
}
mail-and-more = { $title } en nog { $count }
mail-reading-time = { $minutes } min leestijd
mail-in-this-mail = In deze e-mail
mail-read-on = Lees verder
mail-read-on-below = Lees verder:
mail-read-on-post = Lees verder: { $title }
mail-read-on-at = Lees verder op { $domain }
mail-read-on-at-below = Het artikel gaat hier verder. Lees verder op { $domain }:
mail-goes-on = Het artikel gaat hier verder.
mail-in-browser = Bekijk in de browser
mail-on-the-web = Lees op het web:
mail-filed-under = Te vinden onder { $tags }
mail-correction = Correctie: { $title }
mail-corrected = Dit artikel is gecorrigeerd nadat je het kreeg.

## The mail that asks whether an address is yours

mail-confirm-subject = Bevestig: { $newsletter }
mail-confirm-preheader = Eén druk op de knop, en { $newsletter } komt naar dit adres.
mail-confirm-heading = Is dit adres van jou?
mail-confirm-text = Iemand, waarschijnlijk jij, wil { $newsletter } op dit adres ontvangen.
mail-confirm-button = Ja, abonneer mij
mail-confirm-below = Om ja te zeggen, open deze pagina en druk op de knop:
mail-confirm-not-you = Was jij het niet, doe dan niets: er komt geen e-mail meer.
mail-confirm-why = Je krijgt deze e-mail omdat dit adres is ingevuld in het formulier van { $site }.

## The mails about another address

mail-address-subject = Bevestig je nieuwe adres
mail-address-heading = Is dit je nieuwe adres?
mail-address-text = Iemand, waarschijnlijk jij, wil de e-mail van { $site } voortaan op dit adres ontvangen.
mail-address-button = Ja, gebruik dit adres
mail-address-not-you = Was jij het niet, doe dan niets: alles blijft zoals het is.
mail-address-why = Je krijgt deze e-mail omdat dit adres is ingevuld in de voorkeuren van { $site }.
mail-moved-subject = De e-mail van { $site } gaat nu naar een ander adres
mail-moved-heading = Je adres is gewijzigd
mail-moved-text = Vanaf nu gaat de e-mail van { $site } naar een ander adres. Dat is in je voorkeuren gevraagd en daar bevestigd.
mail-moved-not-you = Was jij het niet, wijzig het dan terug in je voorkeuren.
mail-moved-below = Was jij het niet, wijzig het dan terug in je voorkeuren:
mail-moved-button = Open mijn voorkeuren
mail-moved-why = Je krijgt deze e-mail omdat { $site } tot nu toe naar dit adres schreef.
mail-welcome-subject = Welkom bij { $newsletter }
mail-welcome-heading = Welkom
mail-welcome-text = Vanaf nu krijg je { $newsletter }. Deze e-mail laat zien dat hij aankomt, en van wie.
mail-welcome-choose = Hoe vaak, waarover en hoe laat hij komt, bepaal je zelf, vandaag en altijd:
mail-welcome-reply = Kwam hij bij de spam of de reclame terecht, verplaats hem dan naar je inbox: zo weet je mailprogramma wat je wilt.
