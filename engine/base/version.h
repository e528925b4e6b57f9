/* version: what `aniso --version` prints and every run record stores. */
#ifndef AN_BASE_VERSION_H
#define AN_BASE_VERSION_H

#define AN_VERSION "0.1.0"

#endif
