// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Private to src/auth: GSSAPI handles with owners, and one initiator context. Everything here may block.
#include <gssapi/gssapi.h>

#include <memory>
#include <string>
#include <string_view>

#include "auth/gssapi.hpp"
#include "base/error.hpp"

namespace syncline::auth {

enum class GssMechanism { ntlm, negotiate, kerberos };

/// A credential of libgssapi; safe to share between threads and contexts.
class GssCredential {
 public:
  /// `kept`: whatever the handle reads from for as long as it lives (a ticket cache in memory).
  explicit GssCredential(gss_cred_id_t handle, std::shared_ptr<const void> kept = nullptr)
      : handle_(handle), kept_(std::move(kept)) {}
  ~GssCredential();
  GssCredential(const GssCredential&) = delete;
  GssCredential& operator=(const GssCredential&) = delete;
  gss_cred_id_t get() const noexcept { return handle_; }

 private:
  gss_cred_id_t handle_;
  std::shared_ptr<const void> kept_;
};

/// May read files, ask a KDC. The password is handed over and not kept here. With a password exactly one
/// mechanism may be allowed. `kerberos` takes no password.
Result<std::shared_ptr<GssCredential>> acquire_credential(const GssCredentials& credentials,
                                                          GssMechanism mechanism,
                                                          const NegotiateMechanisms& allowed);

/// One handshake with one server. One call at a time.
class GssContext {
 public:
  /// `tls_server_end_point`: hash for the channel binding; empty: none. `service`: "HTTP", "imap".
  GssContext(std::shared_ptr<GssCredential> credential, GssMechanism mechanism, std::string host,
             std::string_view tls_server_end_point, std::string service = "HTTP");
  ~GssContext();
  GssContext(const GssContext&) = delete;
  GssContext& operator=(const GssContext&) = delete;

  /// Feeds the server's token (empty at the start) and returns ours, which may be empty when complete().
  Result<std::string> step(std::string_view token);
  /// Once complete(): with integrity, without encryption. Errors as step().
  Result<std::string> wrap(std::string_view octets);
  Result<std::string> unwrap(std::string_view wrapped);
  bool complete() const noexcept { return complete_; }
  bool mutual() const noexcept { return mutual_; }

 private:
  std::shared_ptr<GssCredential> credential_;
  GssMechanism mechanism_;
  std::string host_;
  std::string service_;
  std::string binding_;
  gss_ctx_id_t context_ = GSS_C_NO_CONTEXT;
  gss_name_t target_ = GSS_C_NO_NAME;
  bool complete_ = false;
  bool mutual_ = false;
};

}  // namespace syncline::auth
