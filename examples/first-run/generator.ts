/** A support-chat message, as in `examples/data/README.md`. */
export interface ChatMessage {
  readonly id: string;
  readonly conversation: string;
  readonly at: string;
  readonly lang: string;
  readonly channel: 'web' | 'app' | 'email' | 'phone';
  readonly from: 'customer' | 'agent';
  readonly customer: string;
  readonly text: string;
  readonly rating?: number;
}

/** Short conversations, in turns: the customer writes first. `#` becomes an order number. */
const CONVERSATIONS: readonly { readonly lang: string; readonly turns: readonly string[] }[] = [
  { lang: 'en', turns: ['Where is order #?', 'It is with the courier and arrives today.', 'Great, thank you!'] },
  { lang: 'en', turns: ['The app closes when I open my cart.', 'Please update it; 4.2 mends that.', 'Works again.'] },
  { lang: 'en', turns: ['Can I still change the address of order #?', 'Yes, until tonight. Where should it go?'] },
  { lang: 'zh', turns: ['订单 # 什么时候发货？', '今天下午发出，预计后天送达。', '好的，谢谢！'] },
  { lang: 'zh', turns: ['我登录不了，一直提示密码错误。', '已为您重置，请查收邮件。', '可以登录了。'] },
  { lang: 'de', turns: ['Wo bleibt Bestellung #?', 'Sie kommt morgen bei Ihnen an.', 'Danke für die Auskunft.'] },
  {
    lang: 'es',
    turns: ['¿Pueden reenviarme la factura del pedido #?', 'Claro, va en camino a su correo.', '¡Gracias!'],
  },
  { lang: 'fr', turns: ['Le colis # est arrivé abîmé.', 'Nous vous en envoyons un autre dès ce soir.', 'Merci.'] },
  { lang: 'ja', turns: ['注文 # の返金はいつになりますか。', '三営業日以内にお返しします。', '了解しました。'] },
];
const CHANNELS = ['web', 'app', 'email', 'phone'] as const;

/** Makes the messages of one conversation after another; `random` answers a number in [0, 1), `token` a new name. */
export function chatGenerator(random: () => number, token: () => string): (at: Date) => ChatMessage {
  const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)] as T;
  let left: Omit<ChatMessage, 'id' | 'at'>[] = [];
  return (at) => {
    if (left.length === 0) {
      const { lang, turns } = pick(CONVERSATIONS);
      const order = String(10_000 + Math.floor(random() * 90_000));
      const customer = `u-${String(1 + Math.floor(random() * 900)).padStart(4, '0')}`;
      const conversation = `live-${token()}`;
      const channel = pick(CHANNELS);
      left = turns.map((turn, index) => ({
        conversation,
        lang,
        channel,
        from: index % 2 === 0 ? 'customer' : 'agent',
        customer,
        text: turn.replace('#', order),
        ...(index === 2 && random() < 0.5 ? { rating: 3 + Math.floor(random() * 3) } : {}),
      }));
    }
    const { conversation, ...rest } = left.shift() as Omit<ChatMessage, 'id' | 'at'>;
    return { id: `m-${token()}`, conversation, at: at.toISOString(), ...rest };
  };
}
