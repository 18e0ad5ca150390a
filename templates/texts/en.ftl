# The words of pages and mails, in the format of Project Fluent (https://projectfluent.org). A file of the same name in your
# project's templates/texts/ replaces single texts; one of another name adds a language. What it lacks is shown in English.

date = { $day } { $month } { $year }
month-1 = January
month-2 = February
month-3 = March
month-4 = April
month-5 = May
month-6 = June
month-7 = July
month-8 = August
month-9 = September
month-10 = October
month-11 = November
month-12 = December

## On every page

layout-skip = To the content
layout-back = Back to { $site }

## Subscribing

subscribe-error-title = Error: { $newsletter }
subscribe-address = Your email address
subscribe-how-often = How often?
subscribe-bait = Leave this empty
subscribe-button = Subscribe
subscribe-done-title = Check your mail
subscribe-done-heading = Now check your mail
subscribe-done-text = If the address can take { $newsletter }, a mail is on its way to it. Open it and press the button there: only then does the subscription begin.
subscribe-done-note = Nothing after ten minutes? Look among the junk mail, or try again and mind the spelling.
subscribe-thanks = Thank you
subscribe-thanks-text = If the address can take it, the next { $newsletter } comes to it. Each mail has a link to leave, one press is enough.
subscribe-thanks-note = Whoever left it before gets a mail with a button first.
subscribe-not-yet = Not quite yet
subscribe-wait = Many people are signing up just now. Please wait { $seconds } seconds before you press the button.
subscribe-name = Your name
subscribe-optional = (if you like)
subscribe-topics = What about?
subscribe-topics-hint = (nothing chosen: everything)
subscribe-language = Language
subscribe-send-time = When should a digest come?
subscribe-everybodys-time = With everybody’s
subscribe-timezone = Your time zone
subscribe-timezone-empty = (empty: { $zone })
subscribe-again = Please look it over and press the button once more.
subscribe-work = Many people are signing up just now, so this takes one more press of the button.
subscribe-moment = One moment, please …
subscribe-captcha = Please solve the puzzle above the button first.
subscribe-statement = I want to get { $newsletter } by mail. First I get one mail with a button to confirm that. Each mail has a link to leave.
subscribe-statement-at-once = I want to get { $newsletter } by mail. Each mail has a link to leave.
confirm-statement = Yes, I want to get { $newsletter } by mail.
cadence-instant = Each post as it appears
cadence-daily = Once a day
cadence-weekly = Once a week
cadence-monthly = Once a month
address-missing = Please fill in your address.
address-shape = An email address has exactly one "@" with text on both sides.
address-local-part-too-long = The part before "@" is { $bytes } bytes long; mail servers accept at most 64.
address-too-long = The address is { $bytes } bytes long; mail servers accept at most 254.
address-character = "{ $character }" cannot stand in an email address.
address-local-part = The part before "@" may not begin or end with a dot or a hyphen, or have two dots in a row.
address-domain = "{ $domain }" is not a domain that mail can be sent to.
address-refused = Addresses at { $domain } cannot sign up here.
mistake-empty = Please fill this in.
mistake-tick = Please tick this.
mistake-lines = This may be one line only.
mistake-too-long = This may have { $most } characters at most.
mistake-number = Please write a number.
mistake-date = Please write a day like 2026-12-31.
mistake-option = Please choose one of these.
mistake-cadence = "{ $cadence }" cannot be chosen here. There is: { $offered }.
mistake-topic = There is no topic "{ $topic }".
mistake-language = It is not written in "{ $language }".
mistake-time-zone = "{ $zone }" is not a known time zone. Write one like Europe/Berlin.
mistake-hour = "{ $hour }" is no full hour. Write one like 07:00.
mistake-newsletter = This newsletter is not there any more.

## Confirming

confirm-title = Confirm { $newsletter }
confirm-heading = Subscribe to { $newsletter }?
confirm-button = Yes, subscribe me
confirm-not-you = Not you? Close this page, and nothing happens.
confirmed-heading = You are on the list
confirmed-text = The next { $newsletter } comes to you. Each mail has a link to leave, one press is enough.

## Preferences: behind a link in each mail

preferences-title = Your subscription
preferences-sent-to = It goes to { $address }.
preferences-ended = You left { $newsletter }: it does not come to you any more.
preferences-waiting = { $newsletter } waits for you to confirm: press the button in the mail that you got.
preferences-saved = Saved.
preferences-topics = What about?
preferences-topics-hint = None ticked means all of them.
preferences-language = In which language?
preferences-time-zone = Your time zone
preferences-time-zone-hint = The nearest large city of your zone, as in Europe/Berlin. Empty means { $zone }.
preferences-hour = At what time?
preferences-hour-hint = For mails once a day, a week or a month.
preferences-hour-default = When everybody gets it
preferences-save = Save
preferences-pause = Take a break
preferences-pause-text = Nothing comes meanwhile, and what you miss is not sent later.
preferences-pause-two-weeks = Two weeks
preferences-pause-one-month = One month
preferences-pause-three-months = Three months
preferences-paused = You take a break until { $date }.
preferences-resume = Go on now
preferences-others = Newsletters of { $site }
preferences-join = Join { $newsletter }
preferences-leave = Leave { $newsletter }
preferences-asked = A mail is on its way to you: press the button in it to join.
preferences-address = Another address
preferences-address-text = You get a mail at the new address first. Nothing changes until you press the button in it.
preferences-address-new = Your new email address
preferences-address-button = Change the address
preferences-address-asked = If the new address can be used, a mail is on its way to it. Press the button there; until then everything stays as it is.
preferences-data = Your data
preferences-data-text = Everything that is kept about you, in one file.
preferences-download = Download
preferences-delete = Delete me
delete-title = Delete everything?
delete-text = You leave all newsletters of { $site }, and everything that is kept about you is deleted. All that stays is a code made from your address, which cannot be turned back into it: it keeps others from signing you up again.
delete-button = Delete everything
delete-back = No, back to my subscription
deleted-heading = Everything is deleted
deleted-text = { $site } knows nothing about you any more, and sends you no more mail.
address-title = Your new address
address-heading = Is this your new address?
address-text = From now on, the mail of { $site } goes to { $address }.
address-button = Yes, use this address
address-changed-heading = Your address is changed
address-changed-text = From now on, the mail of { $site } comes to { $address }.

## Leaving

unsubscribe-title = Unsubscribe
unsubscribe-heading = Leave { $newsletter }?
unsubscribe-heading-unknown = Leave the list?
unsubscribe-text = No questions asked. It takes effect at once, also for mail that is being prepared.
unsubscribe-button = Unsubscribe
unsubscribe-all = Leave all newsletters of { $site }
unsubscribed-heading = You are off the list
unsubscribed-newsletter = { $newsletter } does not come to you any more.
unsubscribed-nothing = There is nothing more to do.
unsubscribed-list = No more mail from this list comes to you.
unsubscribed-thanks = Thank you for reading.
unsubscribed-reason = Would you like to say why?
unsubscribed-reason-hint = You need not. It helps to make it better.
unsubscribed-reason-button = Send
unsubscribed-reason-thanks = Thank you for saying so.

## What goes wrong

error-not-found = Not found
error-gone = Gone
error-not-now = Not just now
error-ours = Something went wrong
error-failed = That did not work
error-number = Error { $status }
refusal-not-found = There is nothing at this address.
refusal-gone = What was here has been taken down.
refusal-not-yet = The posts are being read. Please come back in a moment.
refusal-too-often = { $minutes ->
    [one] That was a lot at once. Please try again in { $minutes } minute.
   *[other] That was a lot at once. Please try again in { $minutes } minutes.
}
refusal-away = This does not work just now, and it is not your fault. Please try again in a few minutes.
refusal-fault = Something went wrong here, and it is not your fault. It has been noted.
refusal-form = The form could not be read. Please go back and send it again.
refusal-method = This address takes requests of another kind.
refusal-elsewhere = This form was sent from another site. Open the link in your mail and use the form there.
refusal-confirm-link = This link does not work any more. It is good for two days after you asked to subscribe; please fill in the form again to get a new one.
refusal-preferences-link = This link does not work. Take the one at the end of the newest mail that you got. If you have none, subscribe again: each mail has such a link.
refusal-address-link = This link does not work any more. It is good for two days after you asked for the change; please ask again from your preferences, behind the link at the end of each mail.

## In every mail

mail-why = You get this mail because you subscribed to { $newsletter }.
mail-leave = { $unsubscribe } with one click, whenever you like.
mail-leave-below = Unsubscribe with one click, whenever you like:
mail-unsubscribe = Unsubscribe
mail-preferences = Change what you get
mail-preferences-below = Change how often it comes, what it is about and where it goes to:
mail-button = Does the button not work? Copy this address into your browser:

## Posts by mail

mail-new-posts = { $count ->
    [one] One new post
   *[other] { $count } new posts
}
mail-new-posts-inside = { $count ->
    [one] one new post
   *[other] { $count } new posts
}
mail-and-more = { $title } and { $count } more
mail-reading-time = { $minutes } min read
mail-in-this-mail = In this mail
mail-read-on = Read on
mail-read-on-below = Read on:
mail-read-on-post = Read on: { $title }
mail-read-on-at = Read on at { $domain }
mail-read-on-at-below = The post goes on from here. Read on at { $domain }:
mail-goes-on = The post goes on from here.
mail-in-browser = View in browser
mail-on-the-web = Read on the web:
mail-filed-under = Filed under { $tags }
mail-correction = Correction: { $title }
mail-corrected = This post was corrected after you got it.

## The mail that asks whether an address is yours

mail-confirm-subject = Please confirm: { $newsletter }
mail-confirm-preheader = One press of a button, and { $newsletter } comes to this address.
mail-confirm-heading = Is this address yours?
mail-confirm-text = Somebody, probably you, asked for { $newsletter } to be sent to this address.
mail-confirm-button = Yes, subscribe me
mail-confirm-below = To say yes, open this page and press the button:
mail-confirm-not-you = If it was not you, do nothing: there will be no more mail.
mail-confirm-why = You get this mail because this address was entered in the form of { $site }.

## The mails about another address

mail-address-subject = Please confirm your new address
mail-address-heading = Is this your new address?
mail-address-text = Somebody, probably you, asked for the mail of { $site } to come to this address from now on.
mail-address-button = Yes, use this address
mail-address-not-you = If it was not you, do nothing: everything stays as it is.
mail-address-why = You get this mail because this address was entered in the preferences of { $site }.
mail-moved-subject = The mail of { $site } goes to another address now
mail-moved-heading = Your address was changed
mail-moved-text = From now on, the mail of { $site } goes to another address. Somebody asked for that in your preferences, and confirmed it there.
mail-moved-not-you = If it was not you, change it back in your preferences.
mail-moved-below = If it was not you, change it back in your preferences:
mail-moved-button = Open my preferences
mail-moved-why = You get this mail because { $site } wrote to this address until now.
mail-welcome-subject = Welcome to { $newsletter }
mail-welcome-heading = Welcome
mail-welcome-text = From now on { $newsletter } comes to you. This mail shows you that it arrives, and from where.
mail-welcome-choose = How often it comes, what about and at what hour is up to you, today and at any time:
mail-welcome-reply = If it landed among the junk, or among promotions, move it to your inbox: then your mail program knows what you want.
