// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// NTLM and Negotiate (RFC 4559) as server, through GSSAPI: libkrb5 with gss-ntlmssp as its plug-in.
#include <memory>
#include <string>
#include <string_view>

#include "tools/exchange-sim/front/config.hpp"

namespace exchange_sim {

/// Passwords for gss-ntlmssp: a private file that NTLM_USER_FILE names while this lives. One for a process.
class NtlmUsers {
 public:
  /// Error: local, "cannot-write".
  static Result<std::unique_ptr<NtlmUsers>> create(const std::vector<Site>& sites);
  ~NtlmUsers();
  NtlmUsers(const NtlmUsers&) = delete;
  NtlmUsers& operator=(const NtlmUsers&) = delete;

 private:
  explicit NtlmUsers(std::string folder) : folder_(std::move(folder)) {}
  std::string folder_;
};

/// One handshake on one connection.
class GssAcceptor {
 public:
  /// `certificate_hash`: our certificate's (tls-server-end-point); empty on a clear connection.
  GssAcceptor(Scheme scheme, const Site& site, std::string certificate_hash);
  ~GssAcceptor();
  GssAcceptor(const GssAcceptor&) = delete;
  GssAcceptor& operator=(const GssAcceptor&) = delete;

  struct Step {
    bool complete = false;
    std::string token;  ///< to be sent with the next answer; may be empty
    std::string peer;   ///< once complete: "DOMAIN\user", "user@REALM"
  };
  /// Takes the client's token (decoded). Error: auth, "refused", with GSSAPI's words.
  Result<Step> accept(std::string_view token);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace exchange_sim
