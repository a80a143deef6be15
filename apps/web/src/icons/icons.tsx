import type { ReactNode } from 'react';

interface IconProps {
  /** Pixels. */
  readonly size?: number;
  readonly viewBox?: string;
  /** Width over height of the drawing. */
  readonly ratio?: number;
  readonly children: ReactNode;
}

/** All drawings are ornaments: the words stand beside them. */
function Icon({ size = 18, viewBox = '0 0 24 24', ratio = 1, children }: IconProps) {
  return (
    <svg
      width={size * ratio}
      height={size}
      viewBox={viewBox}
      aria-hidden="true"
      fill="none"
      stroke="currentColor"
      strokeWidth="1.9"
      strokeLinecap="round"
      strokeLinejoin="round"
    >
      {children}
    </svg>
  );
}

export const ClockIcon = () => (
  <Icon size={12} viewBox="0 0 12 12">
    <circle cx="6" cy="6" r="4.7" strokeWidth="1.3" />
    <path d="M6 3.4V6l1.8 1.1" strokeWidth="1.3" />
  </Icon>
);
export const OneTickIcon = () => (
  <Icon size={10} ratio={1.2} viewBox="0 0 12 10">
    <path d="M1 5.4 4.2 8.6 10.6 1.4" strokeWidth="1.6" />
  </Icon>
);
export const TwoTicksIcon = () => (
  <Icon size={10} ratio={1.7} viewBox="0 0 17 10">
    <path d="M1 5.4 4.2 8.6 10.6 1.4M7 7.7l1 .9L14.6 1.4" strokeWidth="1.6" />
  </Icon>
);
export const AlertIcon = () => (
  <Icon size={12} viewBox="0 0 12 12">
    <circle cx="6" cy="6" r="4.9" strokeWidth="1.3" />
    <path d="M6 3.4v3M6 8.6v.1" strokeWidth="1.5" />
  </Icon>
);
export const SendIcon = () => (
  <Icon size={18} viewBox="0 0 18 18">
    <path d="M9 15V3.5M4 8l5-5 5 5" strokeWidth="2.2" />
  </Icon>
);
export const PinIcon = ({ size = 20 }: { size?: number }) => (
  <Icon size={size}>
    <path d="M12 21.5c-5-6-7-8.8-7-12a7 7 0 0 1 14 0c0 3.2-2 6-7 12Z" />
    <circle cx="12" cy="9.5" r="2.4" />
  </Icon>
);
export const NoNetworkIcon = () => (
  <Icon size={16} viewBox="0 0 16 16">
    <path
      d="M2 2l12 12M8 13h.01M5 10.2a4.4 4.4 0 0 1 4-1.1M2.3 7.2a8.6 8.6 0 0 1 3.3-2M8 4.6c2.2 0 4.2 1 5.7 2.6"
      strokeWidth="1.5"
    />
  </Icon>
);
export const LockIcon = () => (
  <Icon size={15}>
    <rect x="5" y="11" width="14" height="9" rx="2.5" />
    <path d="M8 11V8a4 4 0 0 1 8 0v3" />
  </Icon>
);
export const GlobeIcon = () => (
  <Icon size={16}>
    <circle cx="12" cy="12" r="9" />
    <path d="M3 12h18M12 3c3 3.2 3 14.8 0 18M12 3c-3 3.2-3 14.8 0 18" />
  </Icon>
);
export const ChevronIcon = () => (
  <Icon size={10} viewBox="0 0 10 10">
    <path d="m2 3.5 3 3 3-3" strokeWidth="1.6" />
  </Icon>
);
export const MoonIcon = () => (
  <Icon size={18}>
    <circle cx="12" cy="12" r="8.5" />
    <path d="M12 3.5a8.5 8.5 0 0 1 0 17Z" fill="currentColor" />
  </Icon>
);
export const PlusIcon = () => (
  <Icon size={15}>
    <path d="M12 5v14M5 12h14" strokeWidth="2.2" />
  </Icon>
);

/** Four bars: all of them when the phone's socket is up, hollow when it is not. */
export const SignalIcon = ({ on }: { on: boolean }) => (
  <svg width="19" height="12" viewBox="0 0 19 12" aria-hidden="true" fill="currentColor">
    <rect x="0" y="8" width="3.5" height="4" rx="1" opacity={on ? 1 : 0.3} />
    <rect x="5" y="5.5" width="3.5" height="6.5" rx="1" opacity={on ? 1 : 0.3} />
    <rect x="10" y="3" width="3.5" height="9" rx="1" opacity={on ? 1 : 0.3} />
    <rect x="15" y="0" width="3.5" height="12" rx="1" opacity={on ? 1 : 0.3} />
  </svg>
);

export const Logo = () => (
  <svg width="32" height="32" viewBox="0 0 32 32" aria-hidden="true">
    <rect width="32" height="32" rx="9" fill="#4338ca" />
    <path
      d="M8 11.5a3 3 0 0 1 3-3h10a3 3 0 0 1 3 3v6a3 3 0 0 1-3 3h-5.2L11 24.4v-3.9a3 3 0 0 1-3-3Z"
      fill="#fff"
    />
    <circle cx="13" cy="14.5" r="1.9" fill="#d97706" />
    <path d="M15.6 14.5h3.2" stroke="#94a3b8" strokeWidth="1.6" strokeDasharray="1.6 1.4" />
    <circle cx="20.4" cy="14.5" r="1.9" fill="#0f766e" />
  </svg>
);
