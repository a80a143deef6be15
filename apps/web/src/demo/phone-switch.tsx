import { RadioGroup } from 'radix-ui';
import type { Translate } from '../i18n/i18n.js';
import type { Role } from '../phone/phone-view.js';

interface PhoneSwitchProps {
  readonly t: Translate;
  readonly value: Role;
  readonly onChange: (role: Role) => void;
  readonly names: Readonly<Record<Role, string>>;
  readonly unread: Readonly<Record<Role, number>>;
}

const ROLES = ['driver', 'customer'] as const;

/** On a narrow screen: which of the two phones is in the hand. The other one stays on. */
export function PhoneSwitch({ t, value, onChange, names, unread }: PhoneSwitchProps) {
  return (
    <RadioGroup.Root
      orientation="horizontal"
      className="segments w-full md:hidden"
      aria-label={t('page.phones')}
      value={value}
      onValueChange={(role) => ROLES.includes(role as Role) && onChange(role as Role)}
    >
      {ROLES.map((role) => (
        <RadioGroup.Item key={role} value={role} className="min-w-0 flex-1">
          <span className={role === 'driver' ? 'text-driver' : 'text-customer'}>{t(`role.${role}`)}</span>
          <span className="min-w-0 truncate" dir="auto" translate="no">
            {names[role]}
          </span>
          {unread[role] > 0 && value !== role && (
            <span className="grid h-5 min-w-5 place-items-center rounded-full bg-brand px-1 text-[11px] text-on-brand">
              <span aria-hidden="true">{unread[role]}</span>
              <span className="sr-only">{t('page.unread', { total: unread[role] })}</span>
            </span>
          )}
        </RadioGroup.Item>
      ))}
    </RadioGroup.Root>
  );
}
