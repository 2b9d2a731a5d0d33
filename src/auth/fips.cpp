// SPDX-License-Identifier: GPL-3.0-or-later
#include "auth/fips.hpp"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/provider.h>

#include <string>

namespace syncline::auth {

namespace {

unexpected<Error> not_available(std::string what) {
  std::string said;
  while (const unsigned long code = ERR_get_error()) {
    char text[256];
    ERR_error_string_n(code, text, sizeof text);
    if (said.size() < 400) said += (said.empty() ? "" : "; ") + std::string(text);
  }
  std::string message = "FIPS mode is required, and " + std::move(what);
  if (!said.empty()) message += " (" + said + ")";
  message += "; install OpenSSL's FIPS module and run openssl fipsinstall, or do not require FIPS";
  return fail(ErrorDomain::local, "fips-not-available", std::move(message));
}

}  // namespace

Result<void> require_fips_provider() {
  ERR_clear_error();
  OSSL_PROVIDER* fips = OSSL_PROVIDER_try_load(nullptr, "fips", 1);
  if (fips == nullptr) return not_available("OpenSSL's provider \"fips\" cannot be loaded");
  // Encoders and decoders of keys live outside the FIPS module, and do no cryptography.
  OSSL_PROVIDER* base = OSSL_PROVIDER_try_load(nullptr, "base", 1);
  EVP_MD* digest = EVP_MD_fetch(nullptr, "SHA2-256", "provider=fips,fips=yes");
  const bool works = OSSL_PROVIDER_self_test(fips) == 1 && digest != nullptr;
  EVP_MD_free(digest);
  if (base == nullptr || !works || EVP_default_properties_enable_fips(nullptr, 1) != 1) {
    auto refused = not_available("OpenSSL's provider \"fips\" does not pass its self-test");
    if (base != nullptr) OSSL_PROVIDER_unload(base);
    OSSL_PROVIDER_unload(fips);
    return refused;
  }
  return {};
}

}  // namespace syncline::auth
