/** One sentence for each variable that a KEY=value file sets twice: the names of two masters can give the same one. */
export function describeRepeatedVariables(text: string): readonly string[] {
  const names = [...text.matchAll(/^[ \t]*(?:export[ \t]+)?([A-Za-z_]\w*)=/gm)].map(([, name = '']) => name);
  const seen = new Set<string>();
  const repeated = new Set<string>();
  for (const name of names) (seen.has(name) ? repeated : seen).add(name);
  return [...repeated].map((name) => `The variable ${name} is set twice: only one of the values counts.`);
}

/** Variables that change which programs or libraries run, or what they read first. A prefix ends with `*`. */
const steering = `
  PATH HOME SHELL IFS ENV CDPATH GLOBIGNORE EXECIGNORE FPATH ZDOTDIR FIGNORE PS0 PS1 PS2 PS3 PS4 PROMPT_* BASH* SHELLOPTS
  HISTFILE INPUTRC TMPDIR TMOUT POSIXLY_CORRECT UID EUID PPID GROUPS PWD OLDPWD OPTIND LD_* DYLD_* GLIBC_TUNABLES GCONV_PATH
  LOCPATH NLSPATH MALLOC_* HOSTALIASES LOCALDOMAIN RES_OPTIONS RESOLV_HOST_CONF OPENSSL_* SSL_CERT_* SSLKEYLOGFILE
  CURL_CA_BUNDLE REQUESTS_CA_BUNDLE *_PROXY NODE_OPTIONS NODE_PATH NODE_EXTRA_CA_CERTS NODE_TLS_REJECT_UNAUTHORIZED
  NODE_REPL_* NODE_V8_COVERAGE NPM_CONFIG_* PYTHON* PERL5* PERLLIB PERLIO* RUBYOPT RUBYLIB GEM_* BUNDLE_* LUA_* PHPRC
  PHP_INI_SCAN_DIR CLASSPATH *JAVA_*OPTIONS JAVA_OPTS JAVA_HOME JVM_OPTS CATALINA_OPTS MAVEN_OPTS GRADLE_OPTS DOTNET_*
  COMPLUS_* CORECLR_* COR_ENABLE_PROFILING COR_PROFILER* ELECTRON_RUN_AS_NODE ERL_* GOFLAGS GODEBUG GOTRACEBACK EDITOR
  VISUAL PAGER MANPAGER BROWSER LESSOPEN LESSCLOSE SYSTEMD_* GIT_* SSH_ASKPASS SSH_AUTH_SOCK SUDO_ASKPASS TERMINFO* TERMCAP
  XDG_* KUBECONFIG DOCKER_HOST NOTIFY_SOCKET LISTEN_FDS LISTEN_FDNAMES LISTEN_PID WATCHDOG_* CREDENTIALS_DIRECTORY
`
  .trim()
  .split(/\s+/);

const steeringPattern = new RegExp(`^(?:${steering.join('|').replaceAll('*', '\\w*')})$`, 'i');

/** Whether a variable of this name controls shells, loaders or runtimes. */
export function steersPrograms(name: string): boolean {
  return steeringPattern.test(name);
}
