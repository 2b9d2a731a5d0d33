// SPDX-License-Identifier: GPL-3.0-or-later
#include "auth/sasl_gss.hpp"

#include "auth/gss_context.hpp"

namespace syncline::auth {

namespace {

/// First octet of RFC 4752's last two messages: the layers offered, the layer taken.
constexpr unsigned char no_security_layer = 1;

/// What a call on the pool works with; kept alive by the call itself when its caller is gone.
struct Handshake {
  GssCredentials credentials;
  GssMechanism mechanism;
  std::string service;
  std::string host;
  std::string binding;
  std::string authorization_id;
  std::unique_ptr<GssContext> context;

  Result<std::string> step(std::string_view token) {
    if (!context) {
      auto credential = acquire_credential(credentials, mechanism, NegotiateMechanisms{});
      if (!credential) return fail(std::move(credential).error());
      context = std::make_unique<GssContext>(std::move(*credential), mechanism, host, binding, service);
    }
    return context->step(token);
  }

  /// RFC 4752 section 3.1: the server's wrapped offer of layers in, our wrapped choice out.
  Result<std::string> choose_layer(std::string_view wrapped) {
    auto offer = context->unwrap(wrapped);
    if (!offer) return fail(std::move(offer).error());
    if (offer->size() != 4)
      return fail(ErrorDomain::auth, "sasl-protocol", "GSSAPI: the server's offer of layers is malformed");
    if ((static_cast<unsigned char>((*offer)[0]) & no_security_layer) == 0) {
      return fail(ErrorDomain::auth, "sasl-protocol",
                  "GSSAPI: the server insists on a security layer of its own; use TLS");
    }
    // No layer, so no buffer of ours (three zero octets); then whose mailbox.
    std::string choice(4, '\0');
    choice[0] = static_cast<char>(no_security_layer);
    choice += authorization_id;
    return context->wrap(choice);
  }
};

class GssSasl final : public SaslExchange {
 public:
  GssSasl(std::string_view mechanism, std::shared_ptr<Handshake> handshake,
          std::shared_ptr<BlockingPool> blocking)
      : mechanism_(mechanism), handshake_(std::move(handshake)), blocking_(std::move(blocking)) {}

  std::string_view mechanism() const noexcept override { return mechanism_; }
  bool client_first() const noexcept override { return true; }

  net::Async<Secret> respond(std::string challenge) override {
    const bool unexpected = stage_ == Stage::ended || challenge.size() > max_sasl_challenge_octets;
    // NTLM servers speak after our first message, whatever an empty or wordy first challenge says.
    if (first_) challenge.clear();
    if (unexpected || (!first_ && stage_ == Stage::context && challenge.empty())) {
      stage_ = Stage::ended;
      co_return fail(ErrorDomain::auth, "sasl-protocol",
                     mechanism_ + ": a challenge that is empty, too long or one too many");
    }
    first_ = false;
    auto work = [handshake = handshake_, stage = stage_, token = std::move(challenge)] {
      return stage == Stage::context ? handshake->step(token) : handshake->choose_layer(token);
    };
    auto answer = co_await blocking_->run(std::move(work));
    if (!answer) {
      stage_ = Stage::ended;
      co_return fail(std::move(answer).error());
    }
    if (stage_ == Stage::layer) {
      stage_ = Stage::ended;
    } else if (handshake_->context->complete()) {
      proven_ = handshake_->context->mutual();
      stage_ = handshake_->mechanism == GssMechanism::kerberos ? Stage::layer : Stage::ended;
      if (stage_ == Stage::layer && !proven_) {
        stage_ = Stage::ended;
        co_return fail(ErrorDomain::auth, "server-not-authentic", "GSSAPI: the server has not proved itself");
      }
    }
    co_return Secret(std::move(*answer));
  }

  Result<void> finished() override {
    // A server that leaves out the talk about layers has proved itself all the same.
    if (handshake_->mechanism == GssMechanism::kerberos && !proven_) {
      return fail(ErrorDomain::auth, "server-not-authentic",
                  "GSSAPI: the server says that we are signed in without having proved itself");
    }
    return {};
  }

 private:
  enum class Stage : std::uint8_t { context, layer, ended };
  std::string mechanism_;
  std::shared_ptr<Handshake> handshake_;
  std::shared_ptr<BlockingPool> blocking_;
  Stage stage_ = Stage::context;
  bool first_ = true;
  bool proven_ = false;
};

}  // namespace

std::unique_ptr<SaslExchange> make_gssapi_exchange(KerberosCredentials credentials, std::string service,
                                                   std::string host, std::string authorization_id,
                                                   std::shared_ptr<BlockingPool> blocking) {
  auto handshake = std::make_shared<Handshake>();
  handshake->credentials = std::move(credentials);
  handshake->mechanism = GssMechanism::kerberos;
  handshake->service = std::move(service);
  handshake->host = std::move(host);
  handshake->authorization_id = std::move(authorization_id);
  return std::make_unique<GssSasl>("GSSAPI", std::move(handshake), std::move(blocking));
}

std::unique_ptr<SaslExchange> make_ntlm_exchange(PasswordCredentials credentials, std::string service,
                                                 std::string host, std::string tls_server_end_point,
                                                 std::shared_ptr<BlockingPool> blocking) {
  auto handshake = std::make_shared<Handshake>();
  handshake->credentials = std::move(credentials);
  handshake->mechanism = GssMechanism::ntlm;
  handshake->service = std::move(service);
  handshake->host = std::move(host);
  handshake->binding = std::move(tls_server_end_point);
  return std::make_unique<GssSasl>("NTLM", std::move(handshake), std::move(blocking));
}

}  // namespace syncline::auth
