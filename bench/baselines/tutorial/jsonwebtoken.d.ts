declare module 'jsonwebtoken' {
  export interface JwtPayload {
    sub?: string;
    [claim: string]: unknown;
  }
  const jwt: {
    verify(token: string, secret: string, options: { algorithms: string[] }): string | JwtPayload;
  };
  export default jwt;
}
