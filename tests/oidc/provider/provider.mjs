// An OpenID provider with a log-in form of its own: node provider.mjs PORT CALLBACK SECRET
// Whoever types NAME logs in as NAME; what the tokens say of them comes from the file PEOPLE (JSON: name -> claims).
import { readFileSync } from 'node:fs'
import Provider, { interactionPolicy } from 'oidc-provider'

const [port, callback, secret, people] = process.argv.slice(2)
const issuer = `http://127.0.0.1:${port}`
const known = () => JSON.parse(readFileSync(people, 'utf8'))

const provider = new Provider(issuer, {
  clients: [{ client_id: 'richiamo', client_secret: secret, redirect_uris: [callback] }],
  claims: { openid: ['sub'], profile: ['name', 'preferred_username', 'groups', 'realm_access'] },
  pkce: { required: () => true },
  // Consent was given by the company.
  interactions: {
    url: (_, interaction) => `/interaction/${interaction.uid}`,
    policy: interactionPolicy.base().filter(({ name }) => name !== 'consent'),
  },
  loadExistingGrant: async (ctx) => {
    const grant = new ctx.oidc.provider.Grant({ clientId: ctx.oidc.client.clientId, accountId: ctx.oidc.session.accountId })
    grant.addOIDCScope('openid profile')
    await grant.save()
    return grant
  },
  findAccount: async (_, id) => ({ accountId: id, claims: async () => ({ sub: `id-of-${id}`, ...known()[id] }) }),
  features: { devInteractions: { enabled: false } },
  cookies: { keys: ['only for tests'] },
})

provider.use(async (ctx, next) => {
  const [, place, uid] = ctx.path.split('/')
  if (place !== 'interaction') return next()
  if (ctx.method === 'GET') {
    ctx.type = 'html'
    ctx.body = `<form method="post" action="/interaction/${uid}"><label>Account <input name="account"></label><button>Sign in</button></form>`
    return
  }
  const chunks = []
  for await (const chunk of ctx.req) chunks.push(chunk)
  const account = new URLSearchParams(Buffer.concat(chunks).toString()).get('account')
  await provider.interactionFinished(ctx.req, ctx.res, { login: { accountId: account } })
  ctx.respond = false
})

provider.listen(Number(port), '127.0.0.1', () => console.log('ready'))
