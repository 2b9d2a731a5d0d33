// SPDX-License-Identifier: GPL-3.0-or-later
#include "auth/gssapi.hpp"

#include <mutex>
#include <vector>

#include "auth/challenge.hpp"
#include "auth/fingerprint.hpp"
#include "auth/gss_context.hpp"
#include "base/base64.hpp"

namespace syncline::auth {

namespace {

/// Far above any ticket with a large PAC; Windows itself stops at 48 KiB.
constexpr std::size_t max_token_octets = 64 * 1024;

std::string describe(const GssCredentials& credentials) {
  if (const auto* password = std::get_if<PasswordCredentials>(&credentials)) {
    return password->user + "|" + secret_fingerprint(password->password);
  }
  const auto& ticket = std::get<KerberosCredentials>(credentials);
  return ticket.principal + "|" + ticket.credential_cache + "|" + ticket.client_keytab;
}

/// After Kerberos could not begin (no KDC, no realm), this many handshakes go straight to NTLM: each try may
/// cost several seconds of DNS and time-outs.
constexpr int handshakes_without_kerberos = 64;

/// The mechanisms to try one after the other. SPNEGO could carry both at once, but then it hides why Kerberos
/// failed, and repeats a password with NTLM that the KDC has just refused.
std::vector<NegotiateMechanisms> modes_of(const GssCredentials& credentials,
                                          const NegotiateMechanisms& allowed) {
  if (std::holds_alternative<KerberosCredentials>(credentials)) return {{.kerberos = true, .ntlm = false}};
  std::vector<NegotiateMechanisms> modes;
  if (allowed.kerberos) modes.push_back({.kerberos = true, .ntlm = false});
  if (allowed.ntlm) modes.push_back({.kerberos = false, .ntlm = true});
  return modes;
}

/// What all sessions of one authenticator share: the credentials, once they are acquired. Kerberos tickets
/// live in them, so that a new connection costs no new trip to the KDC.
class GssShared {
 public:
  GssShared(GssCredentials credentials, GssMechanism mechanism, const NegotiateMechanisms& allowed)
      : credentials_(std::move(credentials)),
        mechanism_(mechanism),
        modes_(modes_of(credentials_, allowed)),
        acquired_(modes_.size()) {}

  GssMechanism mechanism() const noexcept { return mechanism_; }
  std::size_t modes() const noexcept { return modes_.size(); }

  std::size_t first_mode() {
    const std::lock_guard lock(mutex_);
    if (skips_ == 0) return 0;
    --skips_;
    return modes_.size() - 1;
  }
  void kerberos_is_of_no_use() {
    const std::lock_guard lock(mutex_);
    skips_ = handshakes_without_kerberos;
  }

  /// Blocks. `fresh` tells whether it was acquired just now.
  Result<std::shared_ptr<GssCredential>> credential(std::size_t mode, bool& fresh) {
    const std::lock_guard lock(acquiring_);
    fresh = acquired_[mode] == nullptr;
    if (!fresh) return acquired_[mode];
    auto made = acquire_credential(credentials_, mechanism_, modes_[mode]);
    if (made) acquired_[mode] = *made;
    return made;
  }
  void drop(std::size_t mode, const std::shared_ptr<GssCredential>& stale) {
    const std::lock_guard lock(acquiring_);
    if (acquired_[mode] == stale) acquired_[mode] = nullptr;
  }

 private:
  const GssCredentials credentials_;
  const GssMechanism mechanism_;
  const std::vector<NegotiateMechanisms> modes_;
  std::mutex acquiring_;  // held while a KDC is asked: others then find the ticket
  std::vector<std::shared_ptr<GssCredential>> acquired_;
  std::mutex mutex_;
  int skips_ = 0;
};

/// One handshake. Owned by the session and by the pool's call, whichever lives longer.
struct Handshake {
  std::shared_ptr<GssShared> shared;
  std::string host;
  std::string tls_server_end_point;
  std::size_t mode = 0;
  std::unique_ptr<GssContext> context;

  bool has_next_mode() const noexcept { return mode + 1 < shared->modes(); }

  /// Blocks.
  Result<std::string> begin() {
    mode = shared->first_mode();
    return first_token();
  }
  Result<std::string> begin_next_mode() {
    ++mode;
    return first_token();
  }

 private:
  Result<std::string> first_token() {
    while (true) {
      auto token = token_in_mode();
      if (token || !has_next_mode() || token.error().code == "credentials-refused") return token;
      shared->kerberos_is_of_no_use();
      ++mode;
    }
  }

  /// An expired ticket in a kept credential is worth one fresh attempt; a fresh one's failure is final.
  Result<std::string> token_in_mode() {
    for (int attempt = 0;; ++attempt) {
      bool fresh = false;
      auto credential = shared->credential(mode, fresh);
      if (!credential) return fail(std::move(credential).error());
      context = std::make_unique<GssContext>(*credential, shared->mechanism(), host, tls_server_end_point);
      auto token = context->step({});
      if (token) return token;
      shared->drop(mode, *credential);
      if (fresh || attempt > 0) return token;
    }
  }
};

class GssSession final : public net::AuthSession {
 public:
  GssSession(std::shared_ptr<GssShared> shared, std::shared_ptr<BlockingPool> pool,
             const net::AuthTarget& target)
      : handshake_(std::make_shared<Handshake>()),
        pool_(std::move(pool)),
        scheme_(shared->mechanism() == GssMechanism::ntlm ? "NTLM" : "Negotiate"),
        scheme_lower_(shared->mechanism() == GssMechanism::ntlm ? "ntlm" : "negotiate") {
    handshake_->shared = std::move(shared);
    handshake_->host = target.url.host;
    handshake_->tls_server_end_point = target.tls_server_end_point;
  }

  net::Async<std::optional<std::string>> initial() override {
    // Named: g++ 12 destroys a temporary closure in an awaited call twice.
    auto first_token = [handshake = handshake_] { return handshake->begin(); };
    auto token = co_await pool_->run(std::move(first_token));
    if (!token) co_return fail(std::move(token).error());
    begun_ = true;
    co_return std::optional<std::string>(header(*token));
  }

  net::Async<std::string> answer(std::span<const std::string> challenges) override {
    const auto parsed = parse_challenges(challenges);
    const Challenge* mine = find_challenge(parsed, scheme_lower_);
    if (mine == nullptr) {
      co_return fail(ErrorDomain::auth, "scheme-not-offered",
                     "The server does not offer " + std::string(scheme_) + " authentication");
    }
    if (!begun_) {
      auto first = co_await initial();
      if (!first) co_return fail(std::move(first).error());
      co_return std::move(**first);
    }
    // A challenge without a token starts over: the server has thrown away what we sent.
    if (mine->token68.empty() || handshake_->context->complete()) {
      co_return co_await fall_back("The server refused the user name or password");
    }
    auto octets = decode(*mine);
    if (!octets) co_return fail(std::move(octets).error());
    auto next_token = [handshake = handshake_, input = std::move(*octets)] {
      return handshake->context->step(input);
    };
    auto token = co_await pool_->run(std::move(next_token));
    if (!token && !handshake_->has_next_mode()) co_return fail(std::move(token).error());
    if (!token || token->empty())
      co_return co_await fall_back("The server ended the handshake and still refuses");
    co_return header(*token);
  }

  Result<void> accepted(std::span<const std::string> challenges) override {
    if (!handshake_->context || handshake_->context->complete()) return {};
    const auto parsed = parse_challenges(challenges);
    const Challenge* mine = find_challenge(parsed, scheme_lower_);
    // Some proxies and IIS modules strip the server's last token; TLS has already told who the server is.
    if (mine == nullptr || mine->token68.empty()) return {};
    auto octets = decode(*mine);
    if (!octets) return fail(std::move(octets).error());
    auto rest = handshake_->context->step(*octets);
    if (!rest) return fail(std::move(rest).error().during("checking the server's own authentication"));
    return {};
  }

 private:
  /// The KDC has vouched for the password, but this server does not take the ticket (no service name for it,
  /// a clock that is wrong): what is left is NTLM.
  net::Async<std::string> fall_back(std::string reason) {
    if (!handshake_->has_next_mode()) {
      co_return fail(ErrorDomain::auth, "credentials-refused", std::move(reason), RetryClass::reauthenticate);
    }
    auto next_mode = [handshake = handshake_] { return handshake->begin_next_mode(); };
    auto token = co_await pool_->run(std::move(next_mode));
    if (!token) co_return fail(std::move(token).error());
    co_return header(*token);
  }

  std::string header(std::string_view token) const {
    return std::string(scheme_) + " " + base64_encode(token);
  }

  static Result<std::string> decode(const Challenge& challenge) {
    if (challenge.token68.size() > Base64Encoder::encoded_size(max_token_octets)) {
      return fail(ErrorDomain::auth, "bad-token", "The server's authentication token is too long");
    }
    auto octets = base64_decode(challenge.token68);
    if (!octets)
      return fail(ErrorDomain::auth, "bad-token", "The server's authentication token is not base64");
    return octets;
  }

  std::shared_ptr<Handshake> handshake_;
  std::shared_ptr<BlockingPool> pool_;
  std::string_view scheme_;
  std::string_view scheme_lower_;
  bool begun_ = false;
};

class GssAuthenticator final : public net::Authenticator {
 public:
  GssAuthenticator(GssCredentials credentials, GssMechanism mechanism, NegotiateMechanisms allowed,
                   std::shared_ptr<BlockingPool> pool)
      : mechanism_(mechanism),
        pool_key_(std::string(scheme_of(mechanism)) + "|" + describe(credentials) +
                  (allowed.kerberos ? "|k" : "|") + (allowed.ntlm ? "n" : "")),
        shared_(std::make_shared<GssShared>(std::move(credentials), mechanism, allowed)),
        pool_(std::move(pool)) {}

  std::string_view scheme() const noexcept override { return scheme_of(mechanism_); }
  std::string pool_key() const override { return pool_key_; }
  bool connection_bound() const noexcept override { return true; }
  std::unique_ptr<net::AuthSession> start(const net::AuthTarget& target) override {
    return std::make_unique<GssSession>(shared_, pool_, target);
  }

 private:
  static std::string_view scheme_of(GssMechanism mechanism) noexcept {
    return mechanism == GssMechanism::ntlm ? "ntlm" : "negotiate";
  }

  GssMechanism mechanism_;
  std::string pool_key_;
  std::shared_ptr<GssShared> shared_;
  std::shared_ptr<BlockingPool> pool_;
};

}  // namespace

Result<std::shared_ptr<net::Authenticator>> make_ntlm(PasswordCredentials credentials,
                                                      std::shared_ptr<BlockingPool> pool) {
  if (auto checked = check_credentials(credentials); !checked) return fail(std::move(checked).error());
  return std::make_shared<GssAuthenticator>(std::move(credentials), GssMechanism::ntlm,
                                            NegotiateMechanisms{.kerberos = false, .ntlm = true},
                                            std::move(pool));
}

Result<std::shared_ptr<net::Authenticator>> make_negotiate(GssCredentials credentials,
                                                           NegotiateMechanisms mechanisms,
                                                           std::shared_ptr<BlockingPool> pool) {
  if (const auto* password = std::get_if<PasswordCredentials>(&credentials)) {
    if (auto checked = check_credentials(*password); !checked) return fail(std::move(checked).error());
  } else {
    const auto& ticket = std::get<KerberosCredentials>(credentials);
    if (ticket.credential_cache.empty() && ticket.client_keytab.empty()) {
      return fail(ErrorDomain::auth, "bad-credentials", "Kerberos needs a credential cache or a key table");
    }
    mechanisms.ntlm = false;
  }
  if (!mechanisms.kerberos && !mechanisms.ntlm) {
    return fail(ErrorDomain::auth, "bad-credentials", "Negotiate needs at least one mechanism");
  }
  return std::make_shared<GssAuthenticator>(std::move(credentials), GssMechanism::negotiate, mechanisms,
                                            std::move(pool));
}

}  // namespace syncline::auth
