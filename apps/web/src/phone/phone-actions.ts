/** What a person can do on a phone. */
export interface PhoneActions {
  readonly sendText: (text: string) => void;
  readonly sendCanned: (key: string, params?: Readonly<Record<string, number>>) => void;
  readonly sendLocation: (place: SharedPlace) => void;
  readonly setTyping: (typing: boolean) => void;
  /** Whether the end of the thread is in front of somebody's eyes. */
  readonly setLooking: (looking: boolean) => void;
  readonly setNetwork: (on: boolean) => void;
  /** Sends a failed message once more. */
  readonly retry: (clientId: string) => void;
  readonly loadOlder: () => void;
}

export interface SharedPlace {
  readonly lat: number;
  readonly lng: number;
  readonly label?: string;
}
