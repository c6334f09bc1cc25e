/**
 * The advisories on sessions, session cookies and cookie parsers from 2015 to 2026 that were gathered before the first
 * line of this library was written. The suite covers every one of them, or says why it cannot.
 */
export const listed: { readonly [theme: string]: ReadonlyArray<string> } = {
  "the life of a session": [
    ...["CVE-2025-46336", "CVE-2025-32441", "expressjs/session#632", "jetty#228", "CVE-2024-35220", "CVE-2024-31999"],
    ...["CVE-2018-1000814", "CVE-2025-46344", "CVE-2018-17199", "CVE-2026-44511", "CVE-2024-56733", "CVE-2026-30224"],
    ...["CVE-2023-40273", "CVE-2021-25970", "CVE-2021-41268", "CVE-2022-23502", "CVE-2026-34828", "GO-2026-5222"],
    ...["CVE-2026-56750", "CVE-2023-20862", "CVE-2021-34428", "CVE-2025-55162", "CVE-2026-34454", "CVE-2024-4183"],
    "GHSA-xg6x-h9c9-2m83"
  ],
  "fixation": [
    ...["CVE-2024-38513", "CVE-2018-1000519", "CVE-2022-25896", "CVE-2023-29019", "CVE-2018-11385", "CVE-2023-46733"],
    ...["CVE-2015-8124", "CVE-2025-55668", "CVE-2024-28197", "CVE-2022-24895", "CVE-2018-11406", "CVE-2022-35943"],
    ...["CVE-2023-29020", "CVE-2023-27495", "CVE-2018-6009", "CVE-2015-3982"]
  ],
  "denial of service": [
    ...["CVE-2015-5143", "CVE-2015-5963", "CVE-2015-5964", "CVE-2016-4423", "CVE-2017-18589", "RUSTSEC-2017-0005"],
    ...["CVE-2025-58186", "CVE-2026-40303", "CVE-2026-25899", "CVE-2016-1000232", "CVE-2024-7592"]
  ],
  "secrets": [
    ...["CVE-2026-39324", "CVE-2026-40372", "CVE-2025-47275", "CVE-2025-47278", "CVE-2019-16782", "CVE-2019-25025"],
    ...["CVE-2016-1000236", "CVE-2017-14775", "CVE-2015-8125", "CVE-2020-26228", "CVE-2021-21339", "CVE-2026-53603"],
    ...["CVE-2023-20866", "CVE-2020-17526", "CVE-2023-27524", "CVE-2024-6535", "CVE-2019-5420", "CVE-2025-66630"],
    ...["RUSTSEC-2024-0343", "CVE-2024-52801", "CVE-2019-10911", "CVE-2024-51996", "illuminate/cookie 2020-07-27"]
  ],
  "injection": [
    ...["CVE-2017-1000248", "CVE-2018-15133", "illuminate 2018-08-08", "CVE-2020-9484", "CVE-2025-24813"],
    ...["CVE-2025-61686", "CVE-2018-18925", "CVE-2024-3400 (gorilla FilesystemStore)", "CVE-2026-25480"],
    ...["CVE-2026-31865", "CVE-2023-26136", "connect-pg-simple", "memcached injection (CRLF in a session key)"]
  ],
  "isolation and caching": [
    ...["CVE-2026-24894", "CVE-2025-67490", "CVE-2018-12538", "CVE-2026-33946", "CVE-2023-30861", "CVE-2026-27205"],
    ...["CVE-2024-26144", "CVE-2022-24894", "CVE-2025-48947", "CVE-2025-64762"]
  ],
  "cookies": [
    ...["CVE-2020-8184", "CVE-2023-23934", "CVE-2022-31629", "CVE-2024-2756", "CVE-2022-36032", "CVE-2023-26049"],
    ...["CVE-2023-4639", "CVE-2022-2860", "CVE-2022-40958", "CVE-2024-47764", "CVE-2026-56762", "CVE-2016-7401"],
    ...["WS-2022-0330", "CVE-2022-39284", "CVE-2026-48058", "CVE-2026-46398", "CVE-2025-7339"]
  ],
  "out of scope": ["CVE-2026-40295"],
  "no advisory known": [
    ...[
      "scs: Iterate and Destroy",
      "scs: time to live of zero or below",
      "actix-session: a destroyed state under a new id"
    ],
    ...["tower-sessions: CachingSessionStore", "effect Cookies.parseHeader: U+00A0 before a name"],
    ...["spring-session#2021", "spring-session#2809"]
  ]
}
