// SPDX-License-Identifier: GPL-3.0-or-later
#include "routing/connection/login.hpp"

#include <optional>
#include <utility>

#include "base/base64.hpp"

namespace syncline::mail {
namespace {

using net::Async;

/// RFC 4954 section 4 and RFC 5034 section 4: a command line has at most 512 (POP3: 255) octets with its end;
/// a longer initial response waits for the server's empty challenge.
constexpr std::size_t longest_command_octets = 253;
/// No mechanism has more; a server that goes on asking is not one.
constexpr int most_turns = 24;

Async<Secret> encoded_response(auth::SaslExchange& exchange, std::string challenge) {
  auto response = co_await exchange.respond(std::move(challenge));
  if (!response) co_return fail(std::move(response.error()));
  co_return Secret(base64_encode(response->reveal()));
}

/// Gives the exchange up in an orderly way, so that the connection can be used for QUIT.
Async<void> give_up(const SaslTurn& turn, Error why) {
  Secret star(std::string_view("*"));
  auto reply = co_await turn(std::move(star));
  if (!reply) co_return fail(std::move(why).during("giving up the sign-in"));
  co_return fail(std::move(why));
}

/// What to say to a challenge; `waiting` is the initial response that the command had no room for: it goes
/// where the server's empty challenge stands.
Async<Secret> answer_to(auth::SaslExchange& exchange, const std::string& challenge,
                        std::optional<Secret>& waiting) {
  if (waiting) {
    Secret initial = std::move(*waiting);
    waiting.reset();
    co_return initial;
  }
  auto octets = base64_decode(challenge);
  if (!octets) co_return fail(ErrorDomain::auth, "sasl-protocol", "the server's challenge is not base64");
  std::string decoded = std::move(*octets);
  co_return co_await encoded_response(exchange, std::move(decoded));
}

Async<void> run_once(auth::SaslExchange& exchange, const SaslTurn& turn) {
  std::string line = "AUTH " + std::string(exchange.mechanism());
  std::optional<Secret> waiting;
  if (exchange.client_first()) {
    std::string nothing;
    auto initial = co_await encoded_response(exchange, std::move(nothing));
    if (!initial) co_return fail(std::move(initial.error()));
    const std::string_view shown = initial->empty() ? std::string_view("=") : initial->reveal();
    if (line.size() + 1 + shown.size() <= longest_command_octets)
      line.append(" ").append(shown);
    else
      waiting = std::move(*initial);
  }
  Secret command(std::move(line));
  auto reply = co_await turn(std::move(command));
  for (int turns = 0; reply; ++turns) {
    if (reply->kind == SaslReply::Kind::success) co_return exchange.finished();
    // A server that refused a token in its challenge has said enough, whatever it makes of our answer (seen:
    // Postfix reports a lost connection to Dovecot then, as if that would pass).
    const bool refused = reply->kind == SaslReply::Kind::refused ||
                         (reply->kind == SaslReply::Kind::other && !exchange.server_error().empty());
    if (reply->kind == SaslReply::Kind::other && !refused) co_return fail(std::move(reply->error));
    if (refused) {
      Error refusal = auth::sasl_refusal(exchange, reply->text);
      co_return fail(std::move(refusal));
    }
    if (turns == most_turns) {
      Error endless{.domain = ErrorDomain::auth,
                    .code = "sasl-protocol",
                    .message = "the server's sign-in does not come to an end"};
      co_return co_await give_up(turn, std::move(endless));
    }
    const std::string challenge = std::move(reply->text);
    auto answer = co_await answer_to(exchange, challenge, waiting);
    if (!answer) {
      Error why = std::move(answer.error());
      co_return co_await give_up(turn, std::move(why));
    }
    Secret next = std::move(*answer);
    reply = co_await turn(std::move(next));
  }
  co_return fail(std::move(reply.error()));
}

}  // namespace

net::Async<void> authenticate(auth::SaslExchange& exchange, SaslTurn turn) {
  auto done = co_await run_once(exchange, turn);
  if (done || done.error().domain != ErrorDomain::auth || done.error().retry != RetryClass::reauthenticate)
    co_return done;
  std::string refusal = done.error().code;
  auto renewed = co_await exchange.renew(std::move(refusal));
  if (!renewed) co_return fail(std::move(renewed.error()));
  if (!*renewed) co_return done;
  co_return co_await run_once(exchange, turn);
}

}  // namespace syncline::mail
