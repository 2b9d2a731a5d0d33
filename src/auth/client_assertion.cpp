// SPDX-License-Identifier: GPL-3.0-or-later
#include "auth/client_assertion.hpp"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <array>
#include <boost/json.hpp>
#include <chrono>
#include <memory>

#include "base/base64.hpp"

namespace syncline::auth {

namespace {

template <auto Free>
struct Deleter {
  template <class T>
  void operator()(T* handle) const noexcept {
    Free(handle);
  }
};
using Bio = std::unique_ptr<BIO, Deleter<BIO_free>>;
using Certificate = std::unique_ptr<X509, Deleter<X509_free>>;

Bio read_only(std::string_view text) {
  return Bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

/// An encrypted key must fail here and never ask on a terminal.
int no_passphrase(char*, int, int, void*) {
  return -1;
}

}  // namespace

Result<ClientCertificate> ClientCertificate::load(std::string_view certificate_pem,
                                                  const Secret& private_key_pem,
                                                  AssertionAlgorithm algorithm) {
  constexpr std::size_t max_pem_octets = 1024 * 1024;
  if (certificate_pem.size() > max_pem_octets || private_key_pem.reveal().size() > max_pem_octets) {
    return fail(ErrorDomain::auth, "bad-certificate", "The certificate or its key is too long");
  }
  const Certificate certificate(
      PEM_read_bio_X509(read_only(certificate_pem).get(), nullptr, no_passphrase, nullptr));
  if (!certificate)
    return fail(ErrorDomain::auth, "bad-certificate", "The certificate is not PEM text of X.509");
  auto key = RsaKey::load(private_key_pem);
  if (!key) return fail(std::move(key).error());
  if (X509_check_private_key(certificate.get(), key->handle()) != 1)
    return fail(ErrorDomain::auth, "key-mismatch", "The private key does not belong to the certificate");
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned length = 0;
  if (X509_digest(certificate.get(), EVP_sha256(), digest.data(), &length) != 1) {
    return fail(ErrorDomain::auth, "bad-certificate", "The certificate cannot be hashed");
  }
  ClientCertificate loaded;
  loaded.key_ = std::move(*key);
  loaded.thumbprint_ =
      base64url_encode(std::string_view(reinterpret_cast<const char*>(digest.data()), length));
  loaded.algorithm_ = algorithm;
  return loaded;
}

Result<std::string> ClientCertificate::sign_assertion(std::string_view client_id, std::string_view audience,
                                                      const Clock& clock, Random& random) const {
  const bool pss = algorithm_ == AssertionAlgorithm::ps256;
  const std::int64_t now =
      std::chrono::duration_cast<std::chrono::seconds>(clock.now().time_since_epoch()).count();
  const boost::json::object header{
      {"alg", pss ? "PS256" : "RS256"}, {"typ", "JWT"}, {"x5t#S256", thumbprint_}};
  const boost::json::object claims{{"aud", audience},      {"iss", client_id}, {"sub", client_id},
                                   {"jti", random.uuid()}, {"iat", now},       {"nbf", now},
                                   {"exp", now + 600}};
  return key_.sign_jwt(algorithm_, boost::json::serialize(header), boost::json::serialize(claims));
}

}  // namespace syncline::auth
