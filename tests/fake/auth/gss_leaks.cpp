// SPDX-License-Identifier: GPL-3.0-or-later
// gss-ntlmssp 1.2.0 loses a few kilobytes of OpenSSL objects at each NTLM handshake, on both sides. They are
// its own: under LeakSanitizer we look past them, with the slow unwinder, since its callers in libcrypto keep
// no frame pointers.
extern "C" const char* __asan_default_options() {
  return "fast_unwind_on_malloc=0";
}
extern "C" const char* __lsan_default_suppressions() {
  return "leak:gssntlmssp.so\n";
}
