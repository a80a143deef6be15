/**
 * The default catalogue of canned messages: keys with typed parameters, rendered in each reader's language
 * by the client. Free of the schema library. The host may replace it by a file.
 */

/** A parameter of a canned message: a whole number in a range, with its unit for the renderer. */
export interface CannedParam {
  type: 'integer';
  min: number;
  max: number;
  unit?: 'minute';
}

/** One entry: its parameters (all required) and its text by language, with `{name}` where a parameter goes. */
export interface CannedEntry {
  params: Readonly<Record<string, CannedParam>>;
  text: Readonly<Record<string, string>>;
}

/** Keys to entries. */
export type CannedCatalogue = Readonly<Record<string, CannedEntry>>;

const minutes: CannedParam = { type: 'integer', min: 0, max: 120, unit: 'minute' };

export const DEFAULT_CANNED: CannedCatalogue = Object.freeze({
  on_my_way: {
    params: {},
    text: { en: 'On my way', hi: 'मैं रास्ते में हूँ', ar: 'أنا في الطريق', es: 'Voy en camino' },
  },
  arriving_in: {
    params: { minutes },
    text: {
      en: 'Arriving in {minutes} min',
      hi: '{minutes} मिनट में पहुँच रहा हूँ',
      ar: 'سأصل خلال {minutes} دقيقة',
      es: 'Llego en {minutes} min',
    },
  },
  arrived: { params: {}, text: { en: 'I have arrived', hi: 'मैं पहुँच गया', ar: 'لقد وصلت', es: 'Ya llegué' } },
  at_pickup: {
    params: {},
    text: {
      en: 'I am at the pickup point',
      hi: 'मैं पिकअप पर हूँ',
      ar: 'أنا عند نقطة الالتقاء',
      es: 'Estoy en el punto de recogida',
    },
  },
  where_are_you: {
    params: {},
    text: { en: 'Where are you?', hi: 'आप कहाँ हैं?', ar: 'أين أنت؟', es: '¿Dónde estás?' },
  },
  running_late: {
    params: { minutes },
    text: {
      en: 'Running {minutes} min late',
      hi: '{minutes} मिनट देर होगी',
      ar: 'سأتأخر {minutes} دقيقة',
      es: 'Voy {minutes} min tarde',
    },
  },
  stuck_in_traffic: {
    params: {},
    text: {
      en: 'Stuck in traffic',
      hi: 'ट्रैफ़िक में फँसा हूँ',
      ar: 'أنا عالق في الزحام',
      es: 'Atrapado en el tráfico',
    },
  },
  cannot_find_you: {
    params: {},
    text: {
      en: 'I cannot find you',
      hi: 'आप मिल नहीं रहे',
      ar: 'لا أستطيع العثور عليك',
      es: 'No te encuentro',
    },
  },
  ok: { params: {}, text: { en: 'OK', hi: 'ठीक है', ar: 'حسنًا', es: 'De acuerdo' } },
  thanks: { params: {}, text: { en: 'Thank you', hi: 'धन्यवाद', ar: 'شكرًا', es: 'Gracias' } },
  call_me: {
    params: {},
    text: { en: 'Please call me', hi: 'कृपया मुझे कॉल करें', ar: 'اتصل بي من فضلك', es: 'Llámame, por favor' },
  },
});
