// Writes examples/data/chat.jsonl: made-up support chats, the same bytes each time. Run: node scripts/make-chat-sample.mjs
//
// A conversation is one topic in one language: the customer opens, the agent asks, the customer tells, the agent settles
// it, and sometimes the customer asks again. Each turn picks one of several hand-written lines. {o} is an order, {d} a
// number of days, {p} a product, {a} an amount, {c} a code.
import { mkdirSync, writeFileSync } from 'node:fs';

const SEED = 20_260_302;
const MESSAGES = 4_000;
const FIRST_DAY = Date.UTC(2026, 2, 2);
const DAY_MS = 86_400_000;

/** mulberry32: a small generator with a 32-bit state. */
function randomFrom(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

const random = randomFrom(SEED);
const whole = (least, most) => least + Math.floor(random() * (most - least + 1));
const pick = (list) => list[Math.floor(random() * list.length)];
const chance = (share) => random() < share;

// Per language: greetings of the customer, of the agent, thanks, goodbyes, products, and the topics, each as
// [openings, the agent's questions, the customer's answers, what settles it, the customer's question after, its answer].
const LANGUAGES = {
  en: {
    share: 34,
    hello: ['Hi, ', 'Hello, ', 'Good morning, ', 'Hey there, ', ''],
    agent: ['Thanks for writing to us. ', 'Hello! ', 'Hi, happy to help. ', 'Sorry to hear that. ', ''],
    thanks: [
      'Thank you, that helps.',
      'Perfect, thanks!',
      'Great, that was quick.',
      'OK, thanks for sorting it out.',
      'Hm, fine. Thanks.',
    ],
    bye: [
      'You are welcome. Have a nice day!',
      'Glad I could help.',
      'Any time. Write to us again if anything is unclear.',
      'Thank you for your patience.',
    ],
    product: [
      'kettle',
      'desk lamp',
      'rain jacket',
      'headphones',
      'coffee grinder',
      'backpack',
      'bike light',
      'notebook set',
    ],
    topics: [
      [
        [
          'my order {o} should have been here {d} days ago.',
          'order {o} with the {p} still has not arrived.',
          'tracking for {o} has not moved for {d} days.',
        ],
        [
          'Could you tell me the postcode the parcel goes to?',
          'Did you get a card from the courier in your letter box?',
        ],
        ['No card, nothing. I was at home all day.', 'It is the address on the order, nothing has changed.'],
        [
          'The parcel was held at the depot. It goes out again tomorrow morning.',
          'I have asked the courier to search for it. If it is not found in {d} days, we send a new {p}.',
        ],
        ['Can it be left with a neighbour?', 'Will I get a message when it is on its way?'],
        ['Yes, I have added that for the driver.', 'Yes, with a link to follow it on the map.'],
      ],
      [
        [
          'I sent the {p} back {d} days ago and have no refund yet.',
          'where is my refund of {a} euros for order {o}?',
          'I would like my money back for the {p}, it is not what I expected.',
        ],
        ['Do you have the number on the return slip?', 'Did you pay by card or by invoice?'],
        ['By card. The slip says {c}.', 'The return code is {c}, I dropped it at the shop on the corner.'],
        [
          'The return has arrived. {a} euros go back to you today; banks need up to {d} days.',
          'I have approved the refund of {a} euros. You get a confirmation by e-mail.',
        ],
        ['Is the shipping refunded as well?', 'Can I have a voucher instead?'],
        ['Yes, the whole amount.', 'Of course, I have turned it into a voucher; it never expires.'],
      ],
      [
        [
          'I cannot log in, it says my password is wrong, but it is not.',
          'the login code never arrives.',
          'my account is locked after three attempts.',
        ],
        [
          'Is the e-mail address of the account still the right one?',
          'Do you see a message with a number under the login form?',
        ],
        ['Yes, it ends in example.com.', 'It shows {c} in small print.'],
        [
          'I have unlocked the account. Please set a new password with the link we sent you.',
          'Our mails were delayed this morning; a new code is on its way.',
        ],
        ['How long is the link valid?', 'Can I turn the code off?'],
        [
          'One hour. You can ask for another at any time.',
          'You can use an authenticator app instead, under Settings, Security.',
        ],
      ],
      [
        [
          'I need an invoice for order {o} with our company on it.',
          'the invoice for {o} shows {a} euros, but I paid less.',
          'please put our department on the invoice for {o}.',
        ],
        ['Which name and address should be on it?', 'Which of the lines looks wrong to you?'],
        ['Just our department, "Research 2", and the cost centre {c}.', 'The line with the {p} is there twice.'],
        [
          'Done. The corrected invoice is in your account under Orders.',
          'You are right, that was our mistake. A credit note over {a} euros follows.',
        ],
        ['Can you send it as a PDF too?', 'Is the tax shown on it?'],
        ['It is in your inbox already.', 'Yes, on a line of its own.'],
      ],
      [
        [
          'I moved and order {o} goes to the old address!',
          'can I still change where {o} is sent?',
          'I typed the wrong house number for order {o}.',
        ],
        [
          'It has not left yet. What is the new address?',
          'Shall I change it for this order only, or for your account?',
        ],
        [
          'For all future orders too, please. It is in my profile now.',
          'Only this one. Please send it to the pick-up shop at the station.',
        ],
        [
          'Changed. The label is printed tonight with the new address.',
          'I have stopped the parcel; it goes out again in {d} days to the right place.',
        ],
        ['Does that cost anything?', 'And the delivery date?'],
        ['No, that is free.', 'It stays the same, give or take a day.'],
      ],
      [
        [
          'the app crashes as soon as I open the cart.',
          'since the update the app is terribly slow.',
          'the app shows a white page after I scan the {p}.',
        ],
        ['Which version do you see under Settings, About?', 'Does it happen on Wi-Fi and on mobile data?'],
        ['4.{d}.1, on a phone that is two years old.', 'On both. I restarted the phone twice.'],
        [
          'We know of this one. The update to 4.9 that came out today mends it.',
          'Please clear the cache of the app under Settings; your cart is kept.',
        ],
        ['Will I lose my saved lists?', 'Is there a web page I can use until then?'],
        ['No, they are kept with your account.', 'Yes, the shop works in the browser as well.'],
      ],
      [
        ['the {p} arrived broken.', 'half of order {o} is missing.', 'I got a {p} in the wrong colour.'],
        ['Could you send us a photo of it?', 'What does the packing slip say?'],
        [
          'The photo is attached. The box looked fine from outside.',
          'The slip lists everything, but the {p} is not in the box.',
        ],
        [
          'A new one leaves our warehouse today; you can keep the old one.',
          'I have sent the missing part of {o} with express delivery.',
        ],
        ['Do I have to send anything back?', 'When will it be here?'],
        ['No, please just recycle it.', 'In {d} days at the latest.'],
      ],
      [
        ['please cancel my subscription.', 'I was charged {a} euros twice this month.', 'how do I change my plan?'],
        ['May I ask which plan you have?', 'On which dates do you see the charges?'],
        ['The small one, at {a} euros a month.', 'Both on the first, a few minutes apart.'],
        [
          'It ends with this month; nothing more is charged.',
          'One of the two is only a reservation and disappears within {d} days.',
        ],
        ['Can I come back later?', 'Do I keep my points?'],
        ['Any time, with one click in your account.', 'Yes, for a year.'],
      ],
    ],
  },
  zh: {
    share: 24,
    hello: ['你好，', '您好，', '请问，', '在吗？', ''],
    agent: ['您好，很高兴为您服务。', '感谢您的联系。', '非常抱歉给您带来不便。', '好的，', ''],
    thanks: [
      '好的，谢谢！',
      '太好了，非常感谢。',
      '明白了，谢谢您的帮助。',
      '行，那我再等等。',
      '解决了，给你们点赞。',
    ],
    bye: ['不客气，祝您生活愉快！', '很高兴能帮到您。', '有问题随时联系我们。', '感谢您的耐心等待。'],
    product: ['电热水壶', '台灯', '雨衣', '耳机', '咖啡磨豆机', '双肩包', '自行车灯', '笔记本套装'],
    topics: [
      [
        ['订单 {o} 已经晚了 {d} 天还没到。', '我买的{p}怎么还没送到？', '{o} 的物流 {d} 天没有更新了。'],
        ['请问收货地址有变化吗？', '快递员联系过您吗？'],
        ['地址没变，也没有人打电话。', '没有，我一直在家。'],
        ['包裹滞留在分拣中心，明天上午会重新派送。', '已经催促快递查找，{d} 天内没有结果我们就补发。'],
        ['可以放在门口吗？', '派送前会通知我吗？'],
        ['可以，已经备注给快递员。', '会的，您会收到短信和链接。'],
      ],
      [
        ['我 {d} 天前退的{p}，退款还没到账。', '订单 {o} 的 {a} 元什么时候退？', '{p}和描述不一样，我想退货。'],
        ['请提供一下退货单号。', '您当时是用什么方式付款的？'],
        ['退货码是 {c}。', '银行卡付的，单号 {c}。'],
        ['已收到退货，{a} 元今天退回，银行最多需要 {d} 天。', '退款申请已经通过，请留意到账通知。'],
        ['运费也退吗？', '能换成优惠券吗？'],
        ['是的，全额退款。', '可以，已经为您换成长期有效的优惠券。'],
      ],
      [
        ['我登录不了，一直说密码错误。', '收不到验证码怎么办？', '账号被锁定了，急用！'],
        ['注册邮箱现在还在使用吗？', '登录页面下方有提示编号吗？'],
        ['还在用。', '有，写的是 {c}。'],
        ['已经解锁，请用邮件里的链接设置新密码。', '今早邮件有延迟，新的验证码马上就到。'],
        ['链接多久有效？', '可以不用验证码吗？'],
        ['一小时，过期可以再申请。', '可以在安全设置里改用验证器。'],
      ],
      [
        ['订单 {o} 需要开公司发票。', '发票金额是 {a} 元，和我付的不一样。', '{o} 的发票抬头要换成部门。'],
        ['请告诉我发票抬头。', '请问哪一行有问题？'],
        ['抬头写“研究二部”就可以，编号 {c}。', '{p}那一行重复了。'],
        ['已经重新开好，在订单页面可以下载。', '是我们的失误，会退您 {a} 元。'],
        ['能发一份 PDF 吗？', '纸质的也有吗？'],
        ['已经发到您的邮箱。', '可以随包裹一起寄出。'],
      ],
      [
        ['我搬家了，{o} 还能改地址吗？', '订单 {o} 的门牌号写错了。'],
        ['还没发货，可以改。新地址填好了吗？', '只改这一单，还是默认地址也改？'],
        ['都改，我已经在个人资料里更新了。', '只改这一单，送到车站自提点。'],
        ['已经修改，今晚按新地址打印面单。', '包裹已经拦截，{d} 天后重新发出。'],
        ['要另外收费吗？', '送达时间会变吗？'],
        ['不收费。', '基本不变，最多差一天。'],
      ],
      [
        ['应用一打开购物车就闪退。', '更新以后应用特别卡。', '扫描{p}以后页面一片空白。'],
        ['请看一下设置里的版本号。', '无线网和流量下都会这样吗？'],
        ['版本是 4.{d}.1。', '都一样，重启过两次了。'],
        ['这个问题今天的 4.9 版本已经修复，请更新。', '请在设置里清除缓存，购物车不会丢。'],
        ['收藏会不会丢？', '有网页版吗？'],
        ['不会，都保存在账号里。', '有，用浏览器就能下单。'],
      ],
      [
        ['收到的{p}是坏的。', '{o} 少发了一半。', '颜色发错了，我要的不是这个。'],
        ['方便发一张照片吗？', '装箱单上写了什么？'],
        ['照片已经传了，外包装是好的。', '单子上都有，但是箱子里没有{p}。'],
        ['新的今天发出，原来的不用寄回。', '缺的部分已经加急补发。'],
        ['大概几天能到？', '需要我做什么吗？'],
        ['最多 {d} 天。', '不需要，等收货就好。'],
      ],
    ],
  },
  de: {
    share: 13,
    hello: ['Hallo, ', 'Guten Tag, ', 'Moin, ', ''],
    agent: ['Danke für Ihre Nachricht. ', 'Guten Tag! ', 'Das tut mir leid. ', 'Gern. ', ''],
    thanks: ['Vielen Dank!', 'Super, das ging schnell.', 'Alles klar, danke.', 'Na gut, dann warte ich noch.'],
    bye: [
      'Gern geschehen. Schönen Tag noch!',
      'Freut mich, dass es geklappt hat.',
      'Melden Sie sich jederzeit wieder.',
    ],
    product: ['Wasserkocher', 'Schreibtischlampe', 'Regenjacke', 'Kopfhörer', 'Kaffeemühle', 'Rucksack'],
    topics: [
      [
        [
          'meine Bestellung {o} ist seit {d} Tagen überfällig.',
          'wo bleibt das Paket {o}?',
          'die Sendung {o} steht seit {d} Tagen im Verteilzentrum.',
        ],
        ['Lag eine Karte im Briefkasten?', 'Stimmt die Lieferadresse noch?'],
        ['Nein, keine Karte.', 'Ja, die Adresse stimmt.'],
        [
          'Das Paket wird morgen früh erneut zugestellt.',
          'Ich lasse danach suchen; sonst schicken wir in {d} Tagen Ersatz.',
        ],
        ['Kann es beim Nachbarn abgegeben werden?', 'Bekomme ich vorher Bescheid?'],
        ['Ja, das habe ich vermerkt.', 'Ja, per Nachricht mit Link.'],
      ],
      [
        ['ich warte seit {d} Tagen auf die Erstattung für {o}.', 'wann bekomme ich meine {a} Euro zurück?'],
        ['Haben Sie die Nummer vom Rücksendeschein?', 'Haben Sie mit Karte bezahlt?'],
        ['Ja, {c}.', 'Mit Karte, der Code ist {c}.'],
        [
          'Die Rücksendung ist da; {a} Euro gehen heute raus.',
          'Die Erstattung ist freigegeben und dauert höchstens {d} Tage.',
        ],
        ['Auch die Versandkosten?'],
        ['Ja, der ganze Betrag.'],
      ],
      [
        ['ich komme nicht mehr in mein Konto.', 'der Code für die Anmeldung kommt nicht an.'],
        ['Ist die E-Mail-Adresse noch aktuell?', 'Steht unter dem Formular eine Nummer?'],
        ['Ja, die ist aktuell.', 'Da steht {c}.'],
        [
          'Das Konto ist entsperrt, bitte vergeben Sie ein neues Passwort.',
          'Unsere Mails kamen heute verspätet; ein neuer Code ist unterwegs.',
        ],
        ['Wie lange gilt der Link?'],
        ['Eine Stunde.'],
      ],
      [
        ['ich brauche eine Rechnung für {o} mit Kostenstelle.', 'auf der Rechnung zu {o} stehen {a} Euro zu viel.'],
        ['Was soll genau darauf stehen?', 'Welche Zeile ist falsch?'],
        ['Bitte „Forschung 2“ und {c}.', 'Zweimal dieselbe Position.'],
        ['Die neue Rechnung liegt in Ihrem Konto.', 'Sie haben recht, eine Gutschrift über {a} Euro folgt.'],
        ['Geht das auch als PDF?'],
        ['Ist schon in Ihrem Postfach.'],
      ],
      [
        [
          'die App stürzt ab, sobald ich den Warenkorb öffne.',
          'seit dem Update ist die App sehr langsam.',
          'mein neuer Artikel ({p}) kam kaputt an.',
        ],
        ['Können Sie uns ein Foto oder Bildschirmfoto schicken?'],
        ['Ist angehängt. Version 4.{d}.1, falls das hilft.', 'Hier ist es.'],
        [
          'Danke, das ist bekannt und mit Version 4.9 behoben. Für Beschädigtes geht heute Ersatz raus.',
          'Wir kümmern uns darum und schicken Ihnen bis morgen eine Lösung.',
        ],
        ['Muss ich etwas tun?'],
        ['Nein, Sie brauchen nichts weiter zu tun.'],
      ],
    ],
  },
  es: {
    share: 11,
    hello: ['Hola, ', 'Buenos días, ', 'Buenas, ', ''],
    agent: ['Gracias por escribirnos. ', '¡Hola! ', 'Sentimos las molestias. ', ''],
    thanks: ['¡Muchas gracias!', 'Perfecto, gracias.', 'Vale, quedo a la espera.', 'Genial, qué rapidez.'],
    bye: ['De nada, ¡que tenga buen día!', 'Un placer ayudarle.', 'Escríbanos cuando quiera.'],
    product: ['hervidor', 'flexo', 'chubasquero', 'auricular', 'molinillo', 'mochila'],
    topics: [
      [
        [
          'mi pedido {o} lleva {d} días de retraso.',
          '¿dónde está el pedido {o}?',
          'el seguimiento de {o} no cambia desde hace {d} días.',
        ],
        ['¿Le dejaron algún aviso?', '¿La dirección sigue siendo la misma?'],
        ['No, ningún aviso.', 'Sí, es la misma.'],
        [
          'El paquete sale otra vez mañana por la mañana.',
          'Lo estamos buscando; si no aparece en {d} días le enviamos otro.',
        ],
        ['¿Pueden dejarlo con un vecino?'],
        ['Sí, ya lo he anotado.'],
      ],
      [
        ['devolví el pedido {o} y no me han reembolsado.', '¿cuándo me devuelven los {a} euros?'],
        ['¿Tiene el código de la devolución?'],
        ['Sí, es {c}.', 'El código es {c}, pagué con tarjeta.'],
        ['Ya la hemos recibido; hoy le devolvemos {a} euros.', 'Aprobado. El banco tarda hasta {d} días.'],
        ['¿Incluye el envío?'],
        ['Sí, el importe completo.'],
      ],
      [
        ['no puedo entrar en mi cuenta.', 'no me llega el código de acceso.'],
        ['¿El correo de la cuenta sigue activo?'],
        ['Sí, lo uso cada día.', 'Sí. Abajo pone {c}.'],
        [
          'Cuenta desbloqueada; cree una contraseña nueva con el enlace.',
          'Hubo un retraso con los correos, ya sale otro código.',
        ],
        ['¿Cuánto dura el enlace?'],
        ['Una hora.'],
      ],
      [
        ['la aplicación se cierra al abrir el carrito.', 'desde la actualización va lentísima.'],
        ['¿Qué versión aparece en Ajustes?'],
        ['La 4.{d}.1.', 'No la encuentro, pero actualicé ayer.'],
        ['Está resuelto en la 4.9, que ya puede descargar.', 'Borre la caché en Ajustes; el carrito no se pierde.'],
        ['¿Y mis listas guardadas?'],
        ['Siguen en su cuenta.'],
      ],
      [
        ['me equivoqué de dirección en el pedido {o}.', 'el producto ({p}) llegó roto.', 'necesito la factura de {o}.'],
        ['¿Puede darme algún dato más?'],
        ['Claro, la referencia es {c}.', 'Lo he puesto en mi perfil.'],
        ['Hecho, lo verá en su cuenta en unos minutos.', 'Solucionado; si procede, el nuevo envío llega en {d} días.'],
        ['¿Tiene algún coste?'],
        ['No, es gratis.'],
      ],
    ],
  },
  fr: {
    share: 10,
    hello: ['Bonjour, ', 'Bonsoir, ', ''],
    agent: ['Merci de votre message. ', 'Bonjour ! ', 'Toutes nos excuses. ', ''],
    thanks: ['Merci beaucoup !', 'Parfait, merci.', "D'accord, j'attends alors.", 'Super, très efficace.'],
    bye: ['Avec plaisir, bonne journée !', 'Ravi d’avoir pu vous aider.', 'N’hésitez pas à nous réécrire.'],
    product: ['bouilloire', 'lampe', 'veste de pluie', 'paire de casques', 'sacoche'],
    topics: [
      [
        [
          'ma commande {o} a {d} jours de retard.',
          'où est le colis {o} ?',
          'le suivi de {o} est bloqué depuis {d} jours.',
        ],
        ['Avez-vous reçu un avis de passage ?', 'L’adresse est-elle toujours la bonne ?'],
        ['Non, aucun avis.', 'Oui, rien n’a changé.'],
        [
          'Le colis repart demain matin.',
          'Une recherche est lancée ; sans réponse sous {d} jours, nous renvoyons l’article.',
        ],
        ['Peut-on le laisser au gardien ?'],
        ['Oui, c’est noté.'],
      ],
      [
        ['je n’ai pas encore été remboursé pour {o}.', 'quand vais-je recevoir mes {a} euros ?'],
        ['Avez-vous le numéro du bon de retour ?'],
        ['Oui : {c}.', 'C’est {c}, payé par carte.'],
        ['Le retour est arrivé, {a} euros partent aujourd’hui.', 'C’est validé, comptez jusqu’à {d} jours.'],
        ['Les frais de port aussi ?'],
        ['Oui, en totalité.'],
      ],
      [
        ['impossible de me connecter.', 'je ne reçois pas le code de connexion.'],
        ['L’adresse e-mail du compte est-elle à jour ?'],
        ['Oui, toujours.', 'Oui, et il y a écrit {c} en bas.'],
        [
          'Le compte est débloqué, choisissez un nouveau mot de passe.',
          'Nos mails ont pris du retard, un nouveau code arrive.',
        ],
        ['Le lien est valable combien de temps ?'],
        ['Une heure.'],
      ],
      [
        ['l’application plante dès que j’ouvre le panier.', 'depuis la mise à jour tout est lent.'],
        ['Quelle version voyez-vous dans les réglages ?'],
        ['4.{d}.1.', 'Je crois que c’est la 4.{d}.'],
        [
          'C’est corrigé dans la 4.9, disponible depuis ce matin.',
          'Videz le cache dans les réglages ; le panier est conservé.',
        ],
        ['Je garde mes listes ?'],
        ['Oui, elles sont liées à votre compte.'],
      ],
      [
        ['il me faut une facture pour {o}.', 'j’ai reçu un article abîmé ({p}).', 'je dois changer l’adresse de {o}.'],
        ['Pouvez-vous me donner quelques précisions ?'],
        ['La référence est {c}.', 'Tout est dans mon profil.'],
        [
          'C’est fait, vous le verrez dans votre compte.',
          'Réglé ; si un envoi est nécessaire, il arrive sous {d} jours.',
        ],
        ['Est-ce payant ?'],
        ['Non, c’est gratuit.'],
      ],
    ],
  },
  ja: {
    share: 8,
    hello: ['こんにちは。', 'お世話になっております。', 'すみません、', ''],
    agent: ['お問い合わせありがとうございます。', 'ご不便をおかけして申し訳ございません。', 'かしこまりました。', ''],
    thanks: ['ありがとうございました。', '助かりました。', '承知しました、待ってみます。', '早い対応に感謝します。'],
    bye: ['またいつでもご連絡ください。', 'お役に立てて何よりです。', 'ご利用ありがとうございます。'],
    product: ['電気ケトル', 'デスクライト', 'レインコート', 'ヘッドホン', 'リュック'],
    topics: [
      [
        ['注文 {o} が {d} 日過ぎても届きません。', '{p}はいつ届きますか。', '{o} の追跡が {d} 日間止まっています。'],
        ['不在票は入っていましたか。', 'お届け先に変更はございませんか。'],
        ['入っていませんでした。', '変更はありません。'],
        ['明日の午前に再配達いたします。', '調査を依頼しました。{d} 日以内に見つからなければ再送します。'],
        ['玄関前に置いてもらえますか。'],
        ['はい、配達員に伝えました。'],
      ],
      [
        ['返品した{p}の返金がまだです。', '注文 {o} の {a} 円はいつ戻りますか。'],
        ['返品番号をお知らせください。'],
        ['{c} です。', 'カード払いで、番号は {c} です。'],
        ['返品を確認しました。本日返金いたします。', '承認しました。最大 {d} 日かかります。'],
        ['送料も戻りますか。'],
        ['はい、全額です。'],
      ],
      [
        ['ログインできません。', '確認コードが届きません。'],
        ['ご登録のメールは現在もお使いですか。'],
        ['はい、使っています。', 'はい。画面に {c} と出ています。'],
        [
          'ロックを解除しました。新しいパスワードを設定してください。',
          'メールの遅延がありました。新しいコードをお送りします。',
        ],
        ['リンクの期限は？'],
        ['一時間です。'],
      ],
      [
        ['カートを開くとアプリが落ちます。', '更新してからアプリが重いです。'],
        ['設定にあるバージョンを教えてください。'],
        ['4.{d}.1 です。'],
        ['本日公開の 4.9 で直っております。', '設定からキャッシュを消してください。カートは残ります。'],
        ['お気に入りは消えませんか。'],
        ['アカウントに保存されています。'],
      ],
      [
        ['注文 {o} の領収書が必要です。', '届いた{p}が壊れていました。', '{o} の住所を変更したいです。'],
        ['詳しい内容をお聞かせください。'],
        ['管理番号は {c} です。', 'プロフィールに書きました。'],
        ['対応いたしました。アカウントでご確認ください。', '手配しました。{d} 日以内に完了します。'],
        ['費用はかかりますか。'],
        ['いいえ、無料です。'],
      ],
    ],
  },
};

const ORDER_OF_SHARES = Object.entries(LANGUAGES).flatMap(([lang, { share }]) => Array(share).fill(lang));
const CHANNELS = ['web', 'web', 'web', 'app', 'app', 'email', 'phone'];
/** Chats an hour of the day, relative: few at night, most before noon and after work. */
const HOURS = [1, 1, 1, 1, 1, 2, 4, 7, 10, 12, 12, 10, 8, 9, 10, 9, 8, 9, 11, 12, 9, 6, 3, 2];
const HOUR_CHOICES = HOURS.flatMap((weight, hour) => Array(weight).fill(hour));

function fill(line, slots) {
  return line.replace(/\{(\w)\}/g, (_whole, name) => (name === 'd' ? String(whole(2, 7)) : slots[name]));
}

/** The first letter of a line that starts a message; after a greeting it stays as it is. */
function capital(text) {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function conversation(number) {
  const lang = pick(ORDER_OF_SHARES);
  const words = LANGUAGES[lang];
  const [open, ask, tell, settle, again, answer] = pick(words.topics);
  const opening = Math.floor(random() * open.length);
  // Lines at the same place, modulo 2, of a topic's lists belong together.
  const line = (list) => list[(opening % 2) % list.length];
  const slots = {
    o: `A${whole(10_000, 99_999)}`,
    p: pick(words.product),
    a: lang === 'ja' ? String(whole(8, 240) * 100) : String(whole(6, 180)),
    c: `${pick(['R', 'K', 'T'])}${whole(100, 999)}-${whole(10, 99)}`,
  };
  const turns = [
    ['customer', capital(pick(words.hello) + fill(open[opening], slots))],
    ['agent', pick(words.agent) + fill(line(ask), slots)],
    ['customer', fill(line(tell), slots)],
    ['agent', fill(line(settle), slots)],
  ];
  if (chance(0.45)) {
    turns.push(['customer', fill(line(again), slots)], ['agent', fill(line(answer), slots)]);
  }
  if (chance(0.8)) turns.push(['customer', pick(words.thanks)]);
  if (turns.at(-1)[0] === 'customer' && chance(0.7)) turns.push(['agent', pick(words.bye)]);

  const shared = { conversation: `c-${String(number).padStart(4, '0')}`, lang, channel: pick(CHANNELS) };
  const customer = `u-${String(whole(1, 480)).padStart(4, '0')}`;
  const lastOfCustomer = turns.findLastIndex(([from]) => from === 'customer');
  const rating = chance(0.4) ? pick([1, 2, 3, 4, 4, 5, 5, 5]) : undefined;
  const dayStart = FIRST_DAY + whole(0, 2) * DAY_MS;
  // The last half hour of a day is left free, so that every chat ends on the day it began.
  let at = Math.min(dayStart + pick(HOUR_CHOICES) * 3_600_000 + whole(0, 3_599_999), dayStart + DAY_MS - 3_000_000);
  return turns.map(([from, text], place) => {
    at += place === 0 ? 0 : whole(8_000, 260_000);
    const message = { ...shared, at: new Date(at).toISOString(), from, customer, text };
    return place === lastOfCustomer && rating !== undefined ? { ...message, rating } : message;
  });
}

function messages() {
  const all = [];
  for (let number = 1; all.length < MESSAGES; number += 1) all.push(...conversation(number));
  all.sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : a.conversation < b.conversation ? -1 : 1));
  return all.map(({ conversation: name, at, lang, channel, from, customer, text, rating }, place) => ({
    id: `m-${String(place + 1).padStart(5, '0')}`,
    conversation: name,
    at,
    lang,
    channel,
    from,
    customer,
    text,
    ...(rating === undefined ? {} : { rating }),
  }));
}

/** What is done to the line at that place, so that the flow has something for its dead letters. */
const SPOILT = new Map([
  [411, (line) => line.slice(0, 97)],
  [1_203, (line) => JSON.stringify({ ...JSON.parse(line), text: undefined })],
  [1_998, (line) => JSON.stringify({ ...JSON.parse(line), rating: 'five' })],
  [2_750, (line) => JSON.stringify({ ...JSON.parse(line), customer: 77 })],
  [3_609, (line) => `${line.slice(0, -1)},`],
]);

const lines = messages().map((message, place) => {
  const line = JSON.stringify(message);
  return SPOILT.get(place + 1)?.(line) ?? line;
});
const target = new URL('../examples/data/chat.jsonl', import.meta.url);
mkdirSync(new URL('.', target), { recursive: true });
writeFileSync(target, `${lines.join('\n')}\n`);
console.log(`${lines.length} lines, ${SPOILT.size} of them spoilt on purpose`);
