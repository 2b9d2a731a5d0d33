// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// A certificate authority of our own, made at start, and server certificates signed by it.
#include <memory>
#include <string>
#include <vector>

#include "net/environment.hpp"
#include "tools/exchange-sim/front/config.hpp"

namespace exchange_sim {

class CertificateAuthority {
 public:
  /// Error: local, "no-certificate". Dates follow the machine's clock, as those who check them do.
  static Result<std::unique_ptr<CertificateAuthority>> create();
  ~CertificateAuthority();
  CertificateAuthority(const CertificateAuthority&) = delete;
  CertificateAuthority& operator=(const CertificateAuthority&) = delete;

  std::string certificate_pem() const;
  /// For these DNS names, and for localhost, 127.0.0.1 and ::1.
  Result<syncline::net::TlsServerIdentity> issue(const std::vector<std::string>& names) const;

 private:
  struct Parts;
  explicit CertificateAuthority(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace exchange_sim
