import { isolate } from './format.js';
import { usePhone } from './phone-context.js';

/** Reserved room, so that the thread does not jump when somebody starts to write. */
export function TypingLine({ name, typing }: { readonly name: string; readonly typing: boolean }) {
  const { t } = usePhone();
  return (
    <p className="typing">
      {typing && (
        <>
          <span className="flex gap-[3px]" aria-hidden="true">
            <i />
            <i />
            <i />
          </span>
          {t('phone.typing', { name: isolate(name) })}
        </>
      )}
    </p>
  );
}
