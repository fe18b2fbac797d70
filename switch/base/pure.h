/*
 * pure.h: forced into every file of the pure folders (base, codec, core, adapters, work). A
 * function that reads a clock, allocates, prints or talks to the system does not compile there.
 * Files that wrap one library (json.c, digest.c) ask for an exception by name and say why.
 *
 * Macros, not #pragma poison: the libraries' own headers must still parse.
 */
#ifndef XW_PURE_H
#define XW_PURE_H

#include <stdlib.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#ifndef XW_IMPURE_WRAPPER
/* Macros already where glibc's bounds checks meet clang. */
#undef printf
#undef fprintf
#undef sprintf
#undef snprintf
#define XW_BANNED(f)       banned_in_a_pure_folder_##f
#define malloc(...)        XW_BANNED(malloc)
#define calloc(...)        XW_BANNED(calloc)
#define realloc(...)       XW_BANNED(realloc)
#define free(...)          XW_BANNED(free)
#define strdup(...)        XW_BANNED(strdup)
#define time(...)          XW_BANNED(time)
#define clock_gettime(...) XW_BANNED(clock_gettime)
#define gettimeofday(...)  XW_BANNED(gettimeofday)
#define localtime(...)     XW_BANNED(localtime)
#define gmtime(...)        XW_BANNED(gmtime)
#define rand(...)          XW_BANNED(rand)
#define random(...)        XW_BANNED(random)
#define getrandom(...)     XW_BANNED(getrandom)
#define getenv(...)        XW_BANNED(getenv)
#define printf(...)        XW_BANNED(printf)
#define fprintf(...)       XW_BANNED(fprintf)
#define sprintf(...)       XW_BANNED(sprintf)
#define snprintf(...)      XW_BANNED(snprintf)
#define strcpy(...)        XW_BANNED(strcpy)
#define strcat(...)        XW_BANNED(strcat)
#define strncpy(...)       XW_BANNED(strncpy)
#define strtok(...)        XW_BANNED(strtok)
#define atoi(...)          XW_BANNED(atoi)
#define strtol(...)        XW_BANNED(strtol)
#define strtod(...)        XW_BANNED(strtod)
#endif

#endif
