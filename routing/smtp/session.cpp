// SPDX-License-Identifier: GPL-3.0-or-later
#include "routing/smtp/session.hpp"

#include <utility>

#include "routing/smtp/commands.hpp"
#include "routing/smtp/reply_table.hpp"

namespace syncline::smtp {
namespace {

using net::Async;

constexpr std::chrono::seconds farewell{5};

}  // namespace

net::Async<std::unique_ptr<Session>> Session::open(net::Environment& environment,
                                                   const SessionSettings& settings,
                                                   const mail::ChooseSasl& choose) {
  auto connection = co_await mail::Connection::open(environment, settings.endpoint, settings.connect);
  if (!connection) co_return fail(std::move(connection.error()));
  std::unique_ptr<Session> session(new Session(settings, std::move(*connection), environment.clock));
  auto begun = co_await session->begin(choose);
  if (!begun)
    co_return fail(std::move(begun.error()).during("opening a session with " + settings.endpoint.host));
  co_return session;
}

net::Async<void> Session::begin(const mail::ChooseSasl& choose) {
  // Servers answer the commands of a group in several small packets.
  channel_.connection().stream().set_quick_ack(true);
  channel_.begin(settings_.greeting);
  auto greeting = co_await channel_.reply();
  if (!greeting) co_return fail(std::move(greeting.error()));
  if (greeting->code != 220) co_return fail(refusal(*greeting, Stage::greeting));
  auto greeted = co_await hello();
  if (!greeted) co_return greeted;
  if (settings_.endpoint.tls == mail::TlsMode::starttls) {
    auto secured = co_await start_tls();
    if (!secured) co_return secured;
  }
  if (choose) {
    auto signed_in = co_await sign_in(choose);
    if (!signed_in) co_return signed_in;
  }
  channel_.end();
  co_return Result<void>{};
}

net::Async<Reply> Session::command(std::string line) {
  channel_.begin(settings_.transaction.command);
  auto written = co_await channel_.write(line);
  if (!written) co_return fail(std::move(written.error()));
  co_return co_await channel_.reply();
}

net::Async<void> Session::hello() {
  std::string line = ehlo(settings_.client_name);
  auto reply = co_await command(std::move(line));
  if (!reply) co_return fail(std::move(reply.error()));
  if (reply->positive()) {
    channel_.capabilities() = read_capabilities(*reply);
    co_return Result<void>{};
  }
  // RFC 5321 section 4.1.4: not understood, then the old way, without any extension.
  const bool unknown = reply->code == 500 || reply->code == 502 || reply->code == 504;
  if (!unknown) co_return fail(refusal(*reply, Stage::hello));
  channel_.capabilities() = {};
  std::string old = helo(settings_.client_name);
  reply = co_await command(std::move(old));
  if (!reply) co_return fail(std::move(reply.error()));
  if (!reply->positive()) co_return fail(refusal(*reply, Stage::hello));
  co_return Result<void>{};
}

net::Async<void> Session::start_tls() {
  if (!channel_.capabilities().starttls) {
    co_return fail(ErrorDomain::tls, "no-starttls",
                   settings_.endpoint.host + " does not offer STARTTLS: nothing is sent in the clear");
  }
  std::string line = "STARTTLS\r\n";
  auto reply = co_await command(std::move(line));
  if (!reply) co_return fail(std::move(reply.error()));
  if (reply->code != 220) co_return fail(refusal(*reply, Stage::start_tls));
  channel_.end();
  auto secured = co_await channel_.connection().start_tls(settings_.connect);
  if (!secured) co_return secured;
  channel_.connection().stream().set_quick_ack(true);
  // RFC 3207 section 4.2: what was learned before TLS is forgotten.
  channel_.capabilities() = {};
  co_return co_await hello();
}

net::Async<void> Session::sign_in(const mail::ChooseSasl& choose) {
  if (channel_.capabilities().mechanisms.empty()) {
    co_return fail(ErrorDomain::auth, "sign-in-not-offered",
                   settings_.endpoint.host + " offers no way to sign in" +
                       (is_tls() ? "" : " on a connection without TLS"));
  }
  const net::Stream& stream = channel_.connection().stream();
  const auth::SaslOffer offer{.mechanisms = channel_.capabilities().mechanisms,
                              .is_tls = stream.is_tls(),
                              .tls_server_end_point = stream.tls_server_end_point(),
                              .tls_exporter = stream.tls_exporter(),
                              .service = "smtp",
                              .host = settings_.endpoint.host,
                              .port = settings_.endpoint.port};
  auto exchange = choose(offer);
  if (!exchange) co_return fail(std::move(exchange.error()));
  mail::SaslTurn turn = [this](Secret line) -> net::Async<mail::SaslReply> {
    Secret ended(std::string(line.reveal()) + "\r\n");
    channel_.begin(settings_.transaction.command);
    auto written = co_await channel_.write(ended.reveal());
    if (!written) co_return fail(std::move(written.error()));
    auto reply = co_await channel_.reply();
    if (!reply) co_return fail(std::move(reply.error()));
    mail::SaslReply said;
    if (reply->code == 334) {
      said.kind = mail::SaslReply::Kind::challenge;
      if (!reply->lines.empty()) said.text = reply->lines.front();
    } else if (reply->code == 235) {
      said.kind = mail::SaslReply::Kind::success;
    } else {
      said.error = refusal(*reply, Stage::sign_in);
      // Temporary refusals, unknown commands and wishes for TLS stay what the table says.
      const bool about_us = said.error.retry == RetryClass::reauthenticate || reply->code == 535 ||
                            reply->code == 534 || reply->code == 550 || reply->code == 554;
      said.kind = about_us ? mail::SaslReply::Kind::refused : mail::SaslReply::Kind::other;
      said.text = reply->describe();
    }
    co_return said;
  };
  co_return co_await mail::authenticate(**exchange, std::move(turn));
}

net::Async<Delivery> Session::send(const Envelope& envelope, net::Source& text,
                                   const BeforeCommit& before_commit) {
  ++messages_;
  co_return co_await run_transaction(channel_, settings_.transaction, envelope, text, before_commit);
}

net::Async<void> Session::reset() {
  std::string line = "RSET\r\n";
  auto reply = co_await command(std::move(line));
  channel_.end();
  if (!reply) co_return fail(std::move(reply.error()));
  if (!reply->positive()) co_return fail(refusal(*reply, Stage::other));
  channel_.set_needs_reset(false);
  co_return Result<void>{};
}

net::Async<void> Session::quit() {
  if (channel_.usable()) {
    channel_.begin(farewell);
    std::string_view line = "QUIT\r\n";
    auto written = co_await channel_.write(line);
    if (written) static_cast<void>(co_await channel_.reply());
  }
  channel_.close();
  co_return Result<void>{};
}

}  // namespace syncline::smtp
