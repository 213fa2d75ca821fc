/* Prefetches memory that is read soon; compilers without such a builtin do nothing. */
#if defined(__GNUC__) || defined(__clang__)
#define TAGLINE_PREFETCH(address) __builtin_prefetch(address)
#else
#define TAGLINE_PREFETCH(address) ((void)(address))
#endif
