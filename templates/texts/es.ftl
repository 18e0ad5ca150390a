# The words of pages and mails in Spanish.

date = { $day } de { $month } de { $year }
month-1 = enero
month-2 = febrero
month-3 = marzo
month-4 = abril
month-5 = mayo
month-6 = junio
month-7 = julio
month-8 = agosto
month-9 = septiembre
month-10 = octubre
month-11 = noviembre
month-12 = diciembre

## On every page

layout-skip = Ir al contenido
layout-back = Volver a { $site }

## Subscribing

subscribe-error-title = Error: { $newsletter }
subscribe-address = Tu correo electrónico
subscribe-how-often = ¿Con qué frecuencia?
subscribe-bait = Deja esto vacío
subscribe-button = Suscribirme
subscribe-done-title = Mira tu correo
subscribe-done-heading = Ahora mira tu correo
subscribe-done-text = Si esa dirección puede recibir { $newsletter }, hay un correo en camino. Ábrelo y pulsa el botón: la suscripción empieza solo entonces.
subscribe-done-note = ¿Nada después de diez minutos? Mira en el correo no deseado, o inténtalo de nuevo y fíjate en la ortografía.
subscribe-thanks = Gracias
subscribe-thanks-text = Si la dirección puede recibirlo, el próximo { $newsletter } llegará a ella. Cada correo tiene un enlace para darse de baja, basta con un clic.
subscribe-thanks-note = Quien se dio de baja antes recibe primero un correo con un botón.
subscribe-not-yet = Todavía no
subscribe-wait = Ahora mismo se está suscribiendo mucha gente. Espera { $seconds } segundos antes de pulsar el botón.
subscribe-name = Tu nombre
subscribe-optional = (si quieres)
subscribe-topics = ¿Sobre qué?
subscribe-topics-hint = (sin elegir: todo)
subscribe-language = Idioma
subscribe-send-time = ¿Cuándo debe llegar el resumen?
subscribe-everybodys-time = Con el de todos
subscribe-timezone = Tu zona horaria
subscribe-timezone-empty = (vacío: { $zone })
subscribe-again = Revísalo y pulsa el botón otra vez.
subscribe-work = Ahora mismo se está suscribiendo mucha gente, así que hace falta pulsar el botón una vez más.
subscribe-moment = Un momento, por favor…
subscribe-captcha = Resuelve primero el acertijo que está sobre el botón.
subscribe-statement = Quiero recibir { $newsletter } por correo. Primero recibo un correo con un botón para confirmarlo. Cada correo tiene un enlace para darse de baja.
subscribe-statement-at-once = Quiero recibir { $newsletter } por correo. Cada correo tiene un enlace para darse de baja.
confirm-statement = Sí, quiero recibir { $newsletter } por correo.
cadence-instant = Cada artículo en cuanto aparece
cadence-daily = Una vez al día
cadence-weekly = Una vez a la semana
cadence-monthly = Una vez al mes
address-missing = Escribe tu dirección.
address-shape = Una dirección de correo tiene exactamente una «@», con texto a ambos lados.
address-local-part-too-long = La parte antes de la «@» tiene { $bytes } bytes; los servidores de correo aceptan 64 como máximo.
address-too-long = La dirección tiene { $bytes } bytes; los servidores de correo aceptan 254 como máximo.
address-character = «{ $character }» no puede estar en una dirección de correo.
address-local-part = La parte antes de la «@» no puede empezar ni acabar con un punto o un guion, ni tener dos puntos seguidos.
address-domain = «{ $domain }» no es un dominio al que se pueda enviar correo.
address-refused = Con direcciones de { $domain } no es posible suscribirse aquí.
mistake-empty = Rellena este campo.
mistake-tick = Marca esta casilla.
mistake-lines = Aquí solo cabe una línea.
mistake-too-long = Aquí caben { $most } caracteres como máximo.
mistake-number = Escribe un número.
mistake-date = Escribe una fecha como 2026-12-31.
mistake-option = Elige una de estas respuestas.
mistake-cadence = «{ $cadence }» no se puede elegir aquí. Hay: { $offered }.
mistake-topic = No hay ningún tema «{ $topic }».
mistake-language = No se publica en «{ $language }».
mistake-time-zone = «{ $zone }» no es una zona horaria conocida. Escribe una como Europe/Madrid.
mistake-hour = «{ $hour }» no es una hora en punto. Escribe una como 07:00.
mistake-newsletter = Este boletín ya no existe.

## Confirming

confirm-title = Confirmar { $newsletter }
confirm-heading = ¿Suscribirte a { $newsletter }?
confirm-button = Sí, suscribirme
confirm-not-you = ¿No has sido tú? Cierra esta página y no pasará nada.
confirmed-heading = Ya estás en la lista
confirmed-text = Recibirás el próximo envío de { $newsletter }. Cada correo lleva un enlace para darte de baja; basta con un clic.

## Preferences: behind a link in each mail

preferences-title = Tu suscripción
preferences-sent-to = Llega a { $address }.
preferences-ended = Te diste de baja de { $newsletter }: ya no te llega.
preferences-waiting = { $newsletter } espera tu confirmación: pulsa el botón del correo que recibiste.
preferences-saved = Guardado.
preferences-topics = ¿Sobre qué?
preferences-topics-hint = Si no marcas ninguno, los recibes todos.
preferences-language = ¿En qué idioma?
preferences-time-zone = Tu zona horaria
preferences-time-zone-hint = La gran ciudad más cercana de tu zona, por ejemplo Europe/Madrid. Vacío significa { $zone }.
preferences-hour = ¿A qué hora?
preferences-hour-hint = Para los correos de una vez al día, a la semana o al mes.
preferences-hour-default = Cuando lo reciben todos
preferences-save = Guardar
preferences-pause = Hacer una pausa
preferences-pause-text = Mientras tanto no llega nada, y lo que te pierdes no se envía después.
preferences-pause-two-weeks = Dos semanas
preferences-pause-one-month = Un mes
preferences-pause-three-months = Tres meses
preferences-paused = Estás en pausa hasta el { $date }.
preferences-resume = Seguir ahora
preferences-others = Boletines de { $site }
preferences-join = Suscribirme a { $newsletter }
preferences-leave = Dejar { $newsletter }
preferences-asked = Hay un correo en camino: pulsa su botón para suscribirte.
preferences-address = Otra dirección
preferences-address-text = Primero recibirás un correo en la nueva dirección. Nada cambia hasta que pulses su botón.
preferences-address-new = Tu nuevo correo electrónico
preferences-address-button = Cambiar la dirección
preferences-address-asked = Si la nueva dirección se puede usar, hay un correo en camino. Pulsa su botón; hasta entonces todo sigue igual.
preferences-data = Tus datos
preferences-data-text = Todo lo que se guarda sobre ti, en un archivo.
preferences-download = Descargar
preferences-delete = Borrarme
delete-title = ¿Borrarlo todo?
delete-text = Dejas todos los boletines de { $site } y se borra todo lo que se guarda sobre ti. Solo queda un código hecho a partir de tu dirección, del que no se puede recuperar: evita que otros te vuelvan a apuntar.
delete-button = Borrarlo todo
delete-back = No, volver a mi suscripción
deleted-heading = Todo está borrado
deleted-text = { $site } ya no sabe nada de ti y no te envía más correos.
address-title = Tu nueva dirección
address-heading = ¿Es esta tu nueva dirección?
address-text = A partir de ahora, los correos de { $site } irán a { $address }.
address-button = Sí, usar esta dirección
address-changed-heading = Tu dirección ha cambiado
address-changed-text = A partir de ahora, los correos de { $site } llegan a { $address }.

## Leaving

unsubscribe-title = Darse de baja
unsubscribe-heading = ¿Dejar { $newsletter }?
unsubscribe-heading-unknown = ¿Dejar la lista?
unsubscribe-text = Sin preguntas. Tiene efecto al momento, también para los correos que se están preparando.
unsubscribe-button = Darme de baja
unsubscribe-all = Dejar todos los boletines de { $site }
unsubscribed-heading = Ya no estás en la lista
unsubscribed-newsletter = { $newsletter } ya no te llega.
unsubscribed-nothing = No hay nada más que hacer.
unsubscribed-list = Ya no recibirás correos de esta lista.
unsubscribed-thanks = Gracias por leer.
unsubscribed-reason = ¿Quieres decir por qué?
unsubscribed-reason-hint = No hace falta. Ayuda a mejorar.
unsubscribed-reason-button = Enviar
unsubscribed-reason-thanks = Gracias por decirlo.

## What goes wrong

error-not-found = No encontrado
error-gone = Ya no está
error-not-now = Ahora mismo no
error-ours = Algo ha fallado
error-failed = No ha funcionado
error-number = Error { $status }
refusal-not-found = No hay nada en esta dirección.
refusal-gone = Lo que había aquí se ha retirado.
refusal-not-yet = Se están leyendo los artículos. Vuelve dentro de un momento.
refusal-too-often = { $minutes ->
    [one] Ha sido mucho de una vez. Inténtalo de nuevo en { $minutes } minuto.
   *[other] Ha sido mucho de una vez. Inténtalo de nuevo en { $minutes } minutos.
}
refusal-away = Ahora mismo no funciona, y no es culpa tuya. Inténtalo de nuevo en unos minutos.
refusal-fault = Algo ha fallado aquí, y no es culpa tuya. Ha quedado anotado.
refusal-form = No se ha podido leer el formulario. Vuelve atrás y envíalo de nuevo.
refusal-method = Esta dirección espera peticiones de otro tipo.
refusal-elsewhere = Este formulario se envió desde otro sitio. Abre el enlace de tu correo y usa el formulario que hay allí.
refusal-confirm-link = Este enlace ya no funciona. Sirve durante dos días después de pedir la suscripción; rellena de nuevo el formulario para recibir otro.
refusal-preferences-link = Este enlace no funciona. Usa el que está al final del último correo que recibiste. Si no tienes ninguno, suscríbete de nuevo: cada correo lleva uno.
refusal-address-link = Este enlace ya no funciona. Sirve durante dos días; vuelve a pedir el cambio en tus preferencias, con el enlace al final de cada correo.

## In every mail

mail-why = Recibes este correo porque te suscribiste a { $newsletter }.
mail-leave = { $unsubscribe } con un clic, cuando quieras.
mail-leave-below = Darte de baja con un clic, cuando quieras:
mail-unsubscribe = Darte de baja
mail-preferences = Cambiar lo que recibes
mail-preferences-below = Cambiar la frecuencia, los temas o la dirección:
mail-button = ¿No funciona el botón? Copia esta dirección en tu navegador:

## Posts by mail

mail-new-posts = { $count ->
    [one] Un artículo nuevo
   *[other] { $count } artículos nuevos
}
mail-new-posts-inside = { $count ->
    [one] un artículo nuevo
   *[other] { $count } artículos nuevos
}
mail-and-more = { $title } y { $count } más
mail-reading-time = { $minutes } min de lectura
mail-in-this-mail = En este correo
mail-read-on = Seguir leyendo
mail-read-on-below = Seguir leyendo:
mail-read-on-post = Seguir leyendo: { $title }
mail-read-on-at = Seguir leyendo en { $domain }
mail-read-on-at-below = El artículo continúa. Seguir leyendo en { $domain }:
mail-goes-on = El artículo continúa.
mail-in-browser = Ver en el navegador
mail-on-the-web = Leer en la web:
mail-filed-under = Archivado en { $tags }
mail-correction = Corrección: { $title }
mail-corrected = Este artículo se corrigió después de que lo recibieras.

## The mail that asks whether an address is yours

mail-confirm-subject = Confirma: { $newsletter }
mail-confirm-preheader = Pulsa un botón y { $newsletter } llegará a esta dirección.
mail-confirm-heading = ¿Es tuya esta dirección?
mail-confirm-text = Alguien, probablemente tú, ha pedido recibir { $newsletter } en esta dirección.
mail-confirm-button = Sí, suscribirme
mail-confirm-below = Para decir que sí, abre esta página y pulsa el botón:
mail-confirm-not-you = Si no has sido tú, no hagas nada: no habrá más correos.
mail-confirm-why = Recibes este correo porque esta dirección se escribió en el formulario de { $site }.

## The mails about another address

mail-address-subject = Confirma tu nueva dirección
mail-address-heading = ¿Es esta tu nueva dirección?
mail-address-text = Alguien, probablemente tú, ha pedido que los correos de { $site } lleguen desde ahora a esta dirección.
mail-address-button = Sí, usar esta dirección
mail-address-not-you = Si no has sido tú, no hagas nada: todo sigue igual.
mail-address-why = Recibes este correo porque esta dirección se escribió en las preferencias de { $site }.
mail-moved-subject = Los correos de { $site } van ahora a otra dirección
mail-moved-heading = Tu dirección ha cambiado
mail-moved-text = Desde ahora, los correos de { $site } van a otra dirección. Se pidió en tus preferencias y se confirmó en esa dirección.
mail-moved-not-you = Si no has sido tú, vuelve a cambiarla en tus preferencias.
mail-moved-below = Si no has sido tú, vuelve a cambiarla en tus preferencias:
mail-moved-button = Abrir mis preferencias
mail-moved-why = Recibes este correo porque { $site } escribía hasta ahora a esta dirección.
mail-welcome-subject = Te damos la bienvenida a { $newsletter }
mail-welcome-heading = Te damos la bienvenida
mail-welcome-text = Desde ahora recibes { $newsletter }. Este correo te muestra que llega, y de quién.
mail-welcome-choose = La frecuencia, los temas y la hora los eliges tú, hoy y cuando quieras:
mail-welcome-reply = Si cayó en el correo no deseado o en promociones, muévelo a la bandeja de entrada: así tu programa de correo sabe lo que quieres.
