/* sanitizer: AN_REUSES_MEMORY is 0 in builds with AddressSanitizer, where our allocators pass every
 * block on to malloc and free so that the sanitizer tracks it; 1 otherwise. */
#ifndef AN_BASE_SANITIZER_H
#define AN_BASE_SANITIZER_H

#if defined(__SANITIZE_ADDRESS__)
#define AN_REUSES_MEMORY 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define AN_REUSES_MEMORY 0
#endif
#endif
#ifndef AN_REUSES_MEMORY
#define AN_REUSES_MEMORY 1
#endif

#endif
