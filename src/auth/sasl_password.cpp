// SPDX-License-Identifier: GPL-3.0-or-later
#include "auth/sasl_password.hpp"

#include <gsasl.h>
#include <openssl/crypto.h>

#include <cstring>
#include <optional>
#include <utility>

#include "auth/blocking_pool.hpp"
#include "base/base64.hpp"
#include "base/text.hpp"

namespace syncline::auth {

namespace {

/// Rounds of PBKDF2 that a server may make us do: a second of one core. Below RFC 7677's minimum a recorded
/// exchange is cheap to guess passwords from, which matters where no TLS hides it.
constexpr std::uint64_t most_rounds = 1'000'000;
constexpr std::uint64_t fewest_rounds_in_the_clear = 4096;

/// A session of libgsasl with the context it needs. One call at a time, from any thread.
class GsaslSession {
 public:
  static Result<std::shared_ptr<GsaslSession>> start(const PasswordExchange& wanted) {
    auto made = std::make_shared<GsaslSession>();
    int code = gsasl_init(&made->context_);
    const std::string mechanism(wanted.mechanism);
    if (code == GSASL_OK) code = gsasl_client_start(made->context_, mechanism.c_str(), &made->session_);
    if (code == GSASL_OK) code = made->set(GSASL_AUTHID, wanted.user);
    if (code == GSASL_OK && !wanted.authorization_id.empty())
      code = made->set(GSASL_AUTHZID, wanted.authorization_id);
    if (code == GSASL_OK) code = made->set(GSASL_PASSWORD, wanted.password.reveal());
    if (code == GSASL_OK && !wanted.tls_exporter.empty())
      code = made->set(GSASL_CB_TLS_EXPORTER, base64_encode(wanted.tls_exporter));
    if (code != GSASL_OK) {
      return fail(ErrorDomain::local, "sasl-setup",
                  mechanism + " cannot be used: " + std::string(gsasl_strerror(code)));
    }
    return made;
  }

  GsaslSession() = default;
  GsaslSession(const GsaslSession&) = delete;
  GsaslSession& operator=(const GsaslSession&) = delete;
  ~GsaslSession() {
    if (session_ != nullptr) {
      // The library frees these without wiping them.
      for (const Gsasl_property secret :
           {GSASL_PASSWORD, GSASL_SCRAM_SALTED_PASSWORD, GSASL_SCRAM_SERVERKEY, GSASL_SCRAM_STOREDKEY}) {
        const char* value = gsasl_property_fast(session_, secret);
        if (value != nullptr) OPENSSL_cleanse(const_cast<char*>(value), std::strlen(value));
      }
      gsasl_finish(session_);
    }
    if (context_ != nullptr) gsasl_done(context_);
  }

  struct Step {
    int code = GSASL_OK;
    Secret answer;
  };
  Step step(std::string_view challenge) {
    char* output = nullptr;
    std::size_t length = 0;
    Step taken;
    taken.code = gsasl_step(session_, challenge.data(), challenge.size(), &output, &length);
    const bool good = taken.code == GSASL_OK || taken.code == GSASL_NEEDS_MORE;
    if (good && output != nullptr) {
      taken.answer = Secret(std::string_view(output, length));
      OPENSSL_cleanse(output, length);
    }
    // After an error the library leaves the pointer as it was, or at what it has freed already.
    if (good) gsasl_free(output);
    return taken;
  }

 private:
  int set(Gsasl_property property, std::string_view value) {
    return gsasl_property_set_raw(session_, property, value.data(), value.size());
  }

  Gsasl* context_ = nullptr;
  Gsasl_session* session_ = nullptr;
};

unexpected<Error> bad_challenge(std::string_view mechanism, const std::string& why) {
  return fail(ErrorDomain::auth, "sasl-protocol", std::string(mechanism) + ": " + why);
}

/// Value of an attribute of a SCRAM message (RFC 5802 section 5): "i" of "r=…,s=…,i=4096".
std::optional<std::string_view> scram_attribute(std::string_view message, char name) {
  for (const std::string_view part : text::split(message, ',')) {
    if (part.size() >= 2 && part[0] == name && part[1] == '=') return part.substr(2);
  }
  return std::nullopt;
}

class PasswordSasl final : public SaslExchange {
 public:
  PasswordSasl(const PasswordExchange& wanted, std::shared_ptr<GsaslSession> session,
               std::shared_ptr<BlockingPool> blocking)
      : mechanism_(wanted.mechanism),
        client_first_(wanted.client_first),
        proves_server_(wanted.proves_server),
        is_tls_(wanted.is_tls),
        session_(std::move(session)),
        blocking_(std::move(blocking)) {
    if (wanted.unbound.empty()) return;
    unbound_ = wanted;
    unbound_->mechanism = std::exchange(unbound_->unbound, {});
    unbound_->tls_exporter.clear();
  }

  std::string_view mechanism() const noexcept override { return mechanism_; }
  bool client_first() const noexcept override { return client_first_; }

  net::Async<Secret> respond(std::string challenge) override {
    if (challenge.size() > max_sasl_challenge_octets)
      co_return bad_challenge(mechanism_, "the server's challenge is too long");
    if (failed_ || complete_)
      co_return bad_challenge(mechanism_, "the server sent one more challenge than there are");
    const unsigned turn = turn_++;
    if (turn == 0 && client_first_) challenge.clear();  // some servers greet with text
    if (auto checked = check(turn, challenge); !checked) {
      failed_ = true;
      co_return fail(std::move(checked).error());
    }
    std::optional<GsaslSession::Step> taken;
    if (proves_server_ && turn == 1 && blocking_) {
      // Thousands of rounds of a hash: not on the thread that serves the network.
      auto work = [session = session_, text = std::move(challenge)]() -> Result<GsaslSession::Step> {
        return session->step(text);
      };
      auto done = co_await blocking_->run(std::move(work));
      if (!done) {
        failed_ = true;
        co_return fail(std::move(done).error());
      }
      taken = std::move(*done);
    } else {
      taken = session_->step(challenge);
    }
    if (taken->code == GSASL_OK) complete_ = true;
    if (taken->code != GSASL_OK && taken->code != GSASL_NEEDS_MORE) {
      failed_ = true;
      co_return fail(failure(turn, taken->code));
    }
    co_return std::move(taken->answer);
  }

  /// A server that answers our first message with a refusal has judged no password yet: there is none in it.
  /// Cyrus SASL 2.1.28 takes two messages to find that the binding is not tls-unique, which TLS 1.3 has not
  /// (RFC 9266), and has words for it.
  net::Async<bool> renew(std::string refusal) override {
    if (!unbound_ || failed_ || (turn_ != 1 && refusal != "binding-refused")) co_return false;
    const PasswordExchange wanted = *std::exchange(unbound_, std::nullopt);
    auto session = GsaslSession::start(wanted);
    if (!session) co_return fail(std::move(session).error());
    session_ = std::move(*session);
    mechanism_ = wanted.mechanism;
    turn_ = 0;
    complete_ = false;
    co_return true;
  }

  Result<void> finished() override {
    if (proves_server_ && !complete_) {
      return fail(ErrorDomain::auth, "server-not-authentic",
                  mechanism_ +
                      ": the server says that we are signed in without having proved that it knows the "
                      "password");
    }
    return {};
  }

 private:
  Result<void> check(unsigned turn, std::string_view challenge) const {
    if (!proves_server_) return {};
    if (const auto refused = scram_attribute(challenge, 'e'); refused && challenge.starts_with("e=")) {
      // RFC 5802 section 7: what is wrong with the user or the proof; all else is between the programs.
      const bool credentials = *refused == "invalid-proof" || *refused == "unknown-user" ||
                               *refused == "invalid-username-encoding";
      return fail(ErrorDomain::auth, credentials ? "credentials-refused" : "sasl-protocol",
                  mechanism_ + ": the server refused: " + std::string(refused->substr(0, 100)),
                  credentials ? RetryClass::reauthenticate : RetryClass::never);
    }
    if (turn != 1) return {};
    const auto given = scram_attribute(challenge, 'i');
    const auto rounds = given && given->size() <= 10 ? text::parse_int(*given) : std::nullopt;
    if (!rounds || *rounds < 1) return bad_challenge(mechanism_, "the server's challenge is malformed");
    if (static_cast<std::uint64_t>(*rounds) > most_rounds) {
      return bad_challenge(mechanism_, "the server asks for " + std::to_string(*rounds) +
                                           " rounds of hashing; at most " + std::to_string(most_rounds) +
                                           " are done");
    }
    if (!is_tls_ && static_cast<std::uint64_t>(*rounds) < fewest_rounds_in_the_clear) {
      return bad_challenge(mechanism_, "the server asks for " + std::to_string(*rounds) +
                                           " rounds of hashing; without TLS at least " +
                                           std::to_string(fewest_rounds_in_the_clear) + " are safe");
    }
    return {};
  }

  Error failure(unsigned turn, int code) const {
    if (code == GSASL_SASLPREP_ERROR) {
      return {.domain = ErrorDomain::auth,
              .code = "bad-credentials",
              .message = mechanism_ + ": the user name or password holds characters that may not be used"};
    }
    if (proves_server_ && turn >= 2) {
      return {.domain = ErrorDomain::auth,
              .code = "server-not-authentic",
              .message = mechanism_ + ": the server's proof that it knows the password is wrong"};
    }
    return {.domain = ErrorDomain::auth,
            .code = "sasl-protocol",
            .message = mechanism_ + ": " + gsasl_strerror(code)};
  }

  std::string mechanism_;
  bool client_first_;
  bool proves_server_;
  bool is_tls_;
  std::shared_ptr<GsaslSession> session_;
  std::shared_ptr<BlockingPool> blocking_;
  std::optional<PasswordExchange> unbound_;
  unsigned turn_ = 0;
  bool complete_ = false;
  bool failed_ = false;
};

}  // namespace

Result<std::unique_ptr<SaslExchange>> make_password_exchange(PasswordExchange wanted,
                                                             std::shared_ptr<BlockingPool> blocking) {
  auto session = GsaslSession::start(wanted);
  if (!session) return fail(std::move(session).error());
  return std::make_unique<PasswordSasl>(wanted, std::move(*session), std::move(blocking));
}

}  // namespace syncline::auth
