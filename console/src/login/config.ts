/** What this deployment's `config.json` says (functions/console/handler.py). */
export interface Config {
  stage: string;
  issuer: string;
  clientId: string;
  scope: string;
  token: "access_token" | "id_token";
  authorizeParameters: string;
  /** Where Meta posts, if it is not the route of the API. */
  webhookUrl: string;
  logoutUrl: string;
  organizationClaim: string;
  roleClaim: string;
}

export const BASE = "/console";

/** Read the settings of this deployment. */
export async function readConfig(): Promise<Config> {
  const response = await fetch(`${BASE}/config.json`);
  if (!response.ok) throw new Error(`config.json: ${response.status}`);
  return (await response.json()) as Config;
}
