import t from 'tap';
import { steersPrograms } from '../../lib/template/env-names.ts';

/* What shells, loaders and interpreters read, and names like it that a template may take from the catalog. */

const table: Readonly<Record<string, { readonly read: string; readonly free: string }>> = {
  // `env_delete` of sudo and the variables that the GNU C library removes for a privileged program.
  'loaders and libraries': {
    read: 'LD_PRELOAD LD_LIBRARY_PATH _RLD_LIST SHLIB_PATH LDR_PRELOAD LIBPATH GCONV_PATH GETCONF_DIR GLIBC_TUNABLES HOSTALIASES LOCALDOMAIN LOCPATH MALLOC_TRACE NIS_PATH NLSPATH PATH_LOCALE RESOLV_HOST_CONF RES_OPTIONS TMPDIR TZDIR TERMINFO TERMINFO_DIRS TERMPATH TERMCAP KRB5_CONFIG AUTHSTATE',
    free: 'TZ LANG LC_ALL LANGUAGE LDAP_HOST KRB_HOST',
  },
  shells: {
    read: 'PATH IFS CDPATH ENV BASH_ENV BASHOPTS SHELLOPTS PS4 GLOBIGNORE FPATH NULLCMD READNULLCMD ZDOTDIR TMPPREFIX COMSPEC PATHEXT PSMODULEPATH',
    free: 'LINES COLUMNS PS5 PATHS SHELL_HOST ENVIRONMENT',
  },
  Python: {
    read: 'PYTHONPATH PYTHONHOME PYTHONSTARTUP PYTHONINSPECT PYTHONBREAKPOINT PYTHONUSERBASE PYTHONWARNINGS PYTHON_HISTORY PYTHON_GIL PYTHON_KEYRING_BACKEND PYENV_VERSION',
    free: 'PYTHON_HOST PYTHON_PORT',
  },
  Ruby: {
    read: 'RUBYLIB RUBYOPT GEM_HOME GEM_PATH GEM_SPEC_CACHE GEM_REQUIREMENT_RAKE BUNDLE_GEMFILE RUBYGEMS_HOST JRUBY_OPTS RBENV_VERSION',
    free: 'GEM_HOST GEM_PORT RUBY_HOST BUNDLE_HOST',
  },
  'Perl, Node.js, Java and Go': {
    read: 'PERL5LIB PERL5OPT PERL5DB PERLLIB PERLIO_DEBUG NODE_OPTIONS NODE_PATH NODE_UNIQUE_ID NODE_PRESERVE_SYMLINKS NVM_DIR JAVA_TOOL_OPTIONS JDK_JAVA_OPTIONS JAVACMD CLASSPATH GOFLAGS GODEBUG GOTOOLCHAIN GOPROXY GOROOT',
    free: 'NODE_ENV NODE_HOST JAVA_HOST PERL_HOST GO_HOST GOMAXPROCS',
  },
  tools: {
    read: 'GIT_SSH GIT_SSH_COMMAND GIT_EXEC_PATH GIT_PROXY_COMMAND DOCKER_HOST HELM_HOST ANSIBLE_CONFIG NIX_PATH CONDA_EXE PGOPTIONS',
    free: 'GIT_HOST GIT_PORT ANSIBLE_HOST NIX_HOST CONDA_PORT PGHOST REDIS_HOST',
  },
};

t.test('a name steers programs if one reads it as its own setting, whatever its case', (t) => {
  for (const [kind, { read, free }] of Object.entries(table)) {
    for (const name of read.split(' ')) {
      t.ok(steersPrograms(name), `${kind}: ${name}`);
      t.ok(steersPrograms(name.toLowerCase()), `${kind}: ${name.toLowerCase()}`);
    }
    for (const name of free.split(' ')) t.notOk(steersPrograms(name), `${kind}: ${name}`);
  }
  t.end();
});
