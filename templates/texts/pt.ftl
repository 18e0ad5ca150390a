# The words of pages and mails in Portuguese, as it is read on both sides of the Atlantic.

date = { $day } de { $month } de { $year }
month-1 = janeiro
month-2 = fevereiro
month-3 = março
month-4 = abril
month-5 = maio
month-6 = junho
month-7 = julho
month-8 = agosto
month-9 = setembro
month-10 = outubro
month-11 = novembro
month-12 = dezembro

## On every page

layout-skip = Ir para o conteúdo
layout-back = Voltar a { $site }

## Subscribing

subscribe-error-title = Erro: { $newsletter }
subscribe-address = O seu endereço de e-mail
subscribe-how-often = Com que frequência?
subscribe-bait = Deixe isto vazio
subscribe-button = Assinar
subscribe-done-title = Veja o seu e-mail
subscribe-done-heading = Agora veja o seu e-mail
subscribe-done-text = Se o endereço puder receber { $newsletter }, um e-mail está a caminho. Abra-o e clique no botão: só então a assinatura começa.
subscribe-done-note = Nada depois de dez minutos? Procure no lixo eletrônico, ou tente outra vez com atenção à grafia.
subscribe-thanks = Obrigado
subscribe-thanks-text = Se o endereço puder recebê-lo, o próximo { $newsletter } chegará a ele. Cada mensagem tem um link para sair, basta um clique.
subscribe-thanks-note = Quem saiu antes recebe primeiro uma mensagem com um botão.
subscribe-not-yet = Ainda não
subscribe-wait = Muita gente está se inscrevendo agora. Espere { $seconds } segundos antes de pressionar o botão.
subscribe-name = Seu nome
subscribe-optional = (se quiser)
subscribe-topics = Sobre o quê?
subscribe-topics-hint = (nada escolhido: tudo)
subscribe-language = Idioma
subscribe-send-time = Quando deve chegar o resumo?
subscribe-everybodys-time = Junto com o de todos
subscribe-timezone = Seu fuso horário
subscribe-timezone-empty = (vazio: { $zone })
subscribe-again = Confira e pressione o botão mais uma vez.
subscribe-work = Muita gente está se inscrevendo agora, por isso é preciso pressionar o botão mais uma vez.
subscribe-moment = Um momento, por favor…
subscribe-captcha = Resolva primeiro o enigma acima do botão.
subscribe-statement = Quero receber { $newsletter } por e-mail. Primeiro recebo uma mensagem com um botão para confirmar. Cada mensagem tem um link para sair.
subscribe-statement-at-once = Quero receber { $newsletter } por e-mail. Cada mensagem tem um link para sair.
confirm-statement = Sim, quero receber { $newsletter } por e-mail.
cadence-instant = Cada texto assim que sai
cadence-daily = Uma vez por dia
cadence-weekly = Uma vez por semana
cadence-monthly = Uma vez por mês
address-missing = Escreva o seu endereço.
address-shape = Um endereço de e-mail tem exatamente um “@”, com texto dos dois lados.
address-local-part-too-long = A parte antes do “@” tem { $bytes } bytes; os servidores de e-mail aceitam no máximo 64.
address-too-long = O endereço tem { $bytes } bytes; os servidores de e-mail aceitam no máximo 254.
address-character = “{ $character }” não pode estar em um endereço de e-mail.
address-local-part = A parte antes do “@” não pode começar nem acabar com ponto ou hífen, nem ter dois pontos seguidos.
address-domain = “{ $domain }” não é um domínio que possa receber e-mails.
address-refused = Com endereços de { $domain } não é possível assinar aqui.
mistake-empty = Preencha este campo.
mistake-tick = Marque esta caixa.
mistake-lines = Aqui cabe só uma linha.
mistake-too-long = Aqui cabem no máximo { $most } caracteres.
mistake-number = Escreva um número.
mistake-date = Escreva uma data como 2026-12-31.
mistake-option = Escolha uma destas respostas.
mistake-cadence = “{ $cadence }” não pode ser escolhido aqui. Há: { $offered }.
mistake-topic = Não há nenhum tema “{ $topic }”.
mistake-language = Não sai em “{ $language }”.
mistake-time-zone = “{ $zone }” não é um fuso horário conhecido. Escreva um como America/Sao_Paulo.
mistake-hour = “{ $hour }” não é uma hora cheia. Escreva uma como 07:00.
mistake-newsletter = Esta newsletter já não existe.

## Confirming

confirm-title = Confirmar { $newsletter }
confirm-heading = Assinar { $newsletter }?
confirm-button = Sim, quero assinar
confirm-not-you = Não foi você? Feche esta página e nada acontece.
confirmed-heading = A assinatura está ativa
confirmed-text = A próxima edição de { $newsletter } chega até você. Cada e-mail traz um link para sair; basta um clique.

## Preferences: behind a link in each mail

preferences-title = A sua assinatura
preferences-sent-to = Vai para { $address }.
preferences-ended = Você saiu de { $newsletter }: já não chega até você.
preferences-waiting = { $newsletter } espera a sua confirmação: clique no botão do e-mail que recebeu.
preferences-saved = Salvo.
preferences-topics = Sobre o quê?
preferences-topics-hint = Se nenhum estiver marcado, você recebe todos.
preferences-language = Em que língua?
preferences-time-zone = O seu fuso horário
preferences-time-zone-hint = A grande cidade mais próxima no seu fuso, por exemplo America/Sao_Paulo. Vazio significa { $zone }.
preferences-hour = A que horas?
preferences-hour-hint = Para e-mails uma vez por dia, por semana ou por mês.
preferences-hour-default = Quando todos recebem
preferences-save = Salvar
preferences-pause = Fazer uma pausa
preferences-pause-text = Enquanto isso nada chega, e o que você perder não é enviado depois.
preferences-pause-two-weeks = Duas semanas
preferences-pause-one-month = Um mês
preferences-pause-three-months = Três meses
preferences-paused = Em pausa até { $date }.
preferences-resume = Continuar agora
preferences-others = Newsletters de { $site }
preferences-join = Assinar { $newsletter }
preferences-leave = Sair de { $newsletter }
preferences-asked = Um e-mail está a caminho: clique no botão dele para assinar.
preferences-address = Outro endereço
preferences-address-text = Primeiro você recebe um e-mail no novo endereço. Nada muda até clicar no botão dele.
preferences-address-new = O seu novo endereço de e-mail
preferences-address-button = Mudar o endereço
preferences-address-asked = Se o novo endereço puder ser usado, um e-mail está a caminho. Clique no botão dele; até lá tudo fica como está.
preferences-data = Os seus dados
preferences-data-text = Tudo o que é guardado sobre você, em um arquivo.
preferences-download = Baixar
preferences-delete = Apagar-me
delete-title = Apagar tudo?
delete-text = Você sai de todas as newsletters de { $site }, e tudo o que é guardado sobre você é apagado. Fica apenas um código feito a partir do seu endereço, do qual ele não pode ser recuperado: impede que outros façam de novo a sua inscrição.
delete-button = Apagar tudo
delete-back = Não, voltar à minha assinatura
deleted-heading = Tudo foi apagado
deleted-text = { $site } já não sabe nada sobre você e não lhe envia mais e-mails.
address-title = O seu novo endereço
address-heading = Este é o seu novo endereço?
address-text = De agora em diante, os e-mails de { $site } vão para { $address }.
address-button = Sim, usar este endereço
address-changed-heading = O seu endereço mudou
address-changed-text = De agora em diante, os e-mails de { $site } chegam a { $address }.

## Leaving

unsubscribe-title = Cancelar a assinatura
unsubscribe-heading = Sair de { $newsletter }?
unsubscribe-heading-unknown = Sair da lista?
unsubscribe-text = Sem perguntas. Vale na hora, também para e-mails em preparação.
unsubscribe-button = Cancelar a assinatura
unsubscribe-all = Sair de todas as newsletters de { $site }
unsubscribed-heading = Você saiu da lista
unsubscribed-newsletter = { $newsletter } já não chega até você.
unsubscribed-nothing = Não há mais nada a fazer.
unsubscribed-list = Você não recebe mais e-mails desta lista.
unsubscribed-thanks = Obrigado por ler.
unsubscribed-reason = Quer dizer por quê?
unsubscribed-reason-hint = Não é preciso. Ajuda a melhorar.
unsubscribed-reason-button = Enviar
unsubscribed-reason-thanks = Obrigado por dizer.

## What goes wrong

error-not-found = Não encontrado
error-gone = Já não está aqui
error-not-now = Agora não
error-ours = Algo deu errado
error-failed = Isso não funcionou
error-number = Erro { $status }
refusal-not-found = Não há nada neste endereço.
refusal-gone = O que estava aqui foi retirado.
refusal-not-yet = Os textos estão sendo lidos. Volte daqui a um momento.
refusal-too-often = { $minutes ->
    [one] Foi muita coisa de uma vez. Tente outra vez em { $minutes } minuto.
   *[other] Foi muita coisa de uma vez. Tente outra vez em { $minutes } minutos.
}
refusal-away = Agora isto não funciona, e a culpa não é sua. Tente outra vez em alguns minutos.
refusal-fault = Algo deu errado aqui, e a culpa não é sua. Ficou registrado.
refusal-form = Não foi possível ler o formulário. Volte e envie outra vez.
refusal-method = Este endereço aceita pedidos de outro tipo.
refusal-elsewhere = Este formulário foi enviado de outro site. Abra o link do seu e-mail e use o formulário de lá.
refusal-confirm-link = Este link já não funciona. Vale por dois dias depois do pedido de assinatura; preencha o formulário outra vez para receber um novo.
refusal-preferences-link = Este link não funciona. Use o que está no fim do e-mail mais recente que recebeu. Se não tiver nenhum, assine outra vez: cada e-mail traz um link assim.
refusal-address-link = Este link já não funciona. Vale por dois dias; peça a mudança outra vez nas suas preferências, pelo link no fim de cada e-mail.

## In every mail

mail-why = Você recebe este e-mail porque assinou { $newsletter }.
mail-leave = { $unsubscribe } com um clique, quando quiser.
mail-leave-below = Cancelar a assinatura com um clique, quando quiser:
mail-unsubscribe = Cancelar a assinatura
mail-preferences = Mudar o que você recebe
mail-preferences-below = Mudar a frequência, os temas ou o endereço:
mail-button = O botão não funciona? Copie este endereço para o seu navegador:

## Posts by mail

mail-new-posts = { $count ->
    [one] Um novo texto
   *[other] { $count } novos textos
}
mail-new-posts-inside = { $count ->
    [one] um novo texto
   *[other] { $count } novos textos
}
mail-and-more = { $title } e mais { $count }
mail-reading-time = { $minutes } min de leitura
mail-in-this-mail = Neste e-mail
mail-read-on = Continuar a ler
mail-read-on-below = Continuar a ler:
mail-read-on-post = Continuar a ler: { $title }
mail-read-on-at = Continuar a ler em { $domain }
mail-read-on-at-below = O texto continua. Continuar a ler em { $domain }:
mail-goes-on = O texto continua.
mail-in-browser = Ver no navegador
mail-on-the-web = Ler na web:
mail-filed-under = Arquivado em { $tags }
mail-correction = Correção: { $title }
mail-corrected = Este texto foi corrigido depois de você o receber.

## The mail that asks whether an address is yours

mail-confirm-subject = Confirme: { $newsletter }
mail-confirm-preheader = Um clique no botão, e { $newsletter } chega a este endereço.
mail-confirm-heading = Este endereço é seu?
mail-confirm-text = Alguém, provavelmente você, pediu para receber { $newsletter } neste endereço.
mail-confirm-button = Sim, quero assinar
mail-confirm-below = Para dizer que sim, abra esta página e clique no botão:
mail-confirm-not-you = Se não foi você, não faça nada: não haverá mais e-mails.
mail-confirm-why = Você recebe este e-mail porque este endereço foi escrito no formulário de { $site }.

## The mails about another address

mail-address-subject = Confirme o seu novo endereço
mail-address-heading = Este é o seu novo endereço?
mail-address-text = Alguém, provavelmente você, pediu que os e-mails de { $site } cheguem de agora em diante a este endereço.
mail-address-button = Sim, usar este endereço
mail-address-not-you = Se não foi você, não faça nada: tudo fica como está.
mail-address-why = Você recebe este e-mail porque este endereço foi escrito nas preferências de { $site }.
mail-moved-subject = Os e-mails de { $site } vão agora para outro endereço
mail-moved-heading = O seu endereço foi mudado
mail-moved-text = De agora em diante, os e-mails de { $site } vão para outro endereço. Isso foi pedido nas suas preferências e confirmado nesse endereço.
mail-moved-not-you = Se não foi você, mude de volta nas suas preferências.
mail-moved-below = Se não foi você, mude de volta nas suas preferências:
mail-moved-button = Abrir as minhas preferências
mail-moved-why = Você recebe este e-mail porque { $site } escrevia até agora para este endereço.
mail-welcome-subject = Boas-vindas a { $newsletter }
mail-welcome-heading = Boas-vindas
mail-welcome-text = A partir de agora você recebe { $newsletter }. Este e-mail mostra que ele chega, e de quem.
mail-welcome-choose = A frequência, os temas e o horário quem escolhe é você, hoje e a qualquer momento:
mail-welcome-reply = Se caiu no spam ou em promoções, mova-o para a caixa de entrada: assim seu programa de e-mail sabe o que você quer.
