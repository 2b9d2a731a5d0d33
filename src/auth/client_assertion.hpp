// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// private_key_jwt: a client proves itself with its certificate (RFC 7523 section 2.2).
#include <string>

#include "auth/rsa_key.hpp"
#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/random.hpp"
#include "base/secret.hpp"

namespace syncline::auth {

/// A certificate with its private key. Holds the parsed key; copies share it.
class ClientCertificate {
 public:
  /// PEM text. The key must be RSA of 2048 bits or more and belong to the certificate.
  /// Errors: domain auth, "bad-certificate", "bad-key" (an encrypted key is one), "key-mismatch".
  static Result<ClientCertificate> load(std::string_view certificate_pem, const Secret& private_key_pem,
                                        AssertionAlgorithm algorithm = AssertionAlgorithm::ps256);

  /// A signed JWT for `audience` (the token endpoint), good for ten minutes.
  Result<std::string> sign_assertion(std::string_view client_id, std::string_view audience,
                                     const Clock& clock, Random& random) const;
  /// Base64url of the certificate's SHA-256: the header `x5t#S256`, and an identity for pool keys.
  const std::string& thumbprint() const noexcept { return thumbprint_; }

 private:
  RsaKey key_;
  std::string thumbprint_;
  AssertionAlgorithm algorithm_ = AssertionAlgorithm::ps256;
};

}  // namespace syncline::auth
