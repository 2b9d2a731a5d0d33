// SPDX-License-Identifier: GPL-3.0-or-later
#include "routing/pop3/session.hpp"

#include <openssl/evp.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "base/text.hpp"
#include "routing/connection/line_reader.hpp"
#include "routing/pop3/multiline.hpp"

namespace syncline::pop3 {
namespace {

using net::Async;

constexpr std::size_t line_octets = 8 * 1024;
constexpr std::size_t most_capability_lines = 256;
constexpr std::chrono::seconds farewell{30};

/// Nothing in a name or password may end the line.
bool fits_a_line(std::string_view text) {
  return text.find_first_of(std::string_view("\r\n\0", 3)) == std::string_view::npos && text.size() <= 1024;
}

unexpected<Error> bad_credentials() {
  return fail(ErrorDomain::auth, "bad-credentials",
              "the name or the password has characters that POP3 cannot carry");
}

/// RFC 1939 section 7: MD5 of the timestamp and the secret, in lower-case hexadecimal; empty where the
/// library has no MD5.
std::string apop_digest(std::string_view timestamp, const Secret& password) {
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
  unsigned char hash[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  const std::string_view secret = password.reveal();
  if (context == nullptr || EVP_DigestInit_ex(context.get(), EVP_md5(), nullptr) != 1 ||
      EVP_DigestUpdate(context.get(), timestamp.data(), timestamp.size()) != 1 ||
      EVP_DigestUpdate(context.get(), secret.data(), secret.size()) != 1 ||
      EVP_DigestFinal_ex(context.get(), hash, &size) != 1)
    return {};
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text;
  for (unsigned i = 0; i < size; ++i) {
    text += digits[hash[i] >> 4];
    text += digits[hash[i] & 15];
  }
  return text;
}

bool is_gmail_host(std::string_view host) {
  const std::string name = text::to_lower_ascii(host);
  return name == "gmail.com" || name == "googlemail.com" || name.ends_with(".gmail.com") ||
         name.ends_with(".googlemail.com");
}

}  // namespace

net::Async<std::unique_ptr<Session>> Session::open(net::Environment& environment,
                                                   const SessionSettings& settings, const Login& login) {
  auto connection = co_await mail::Connection::open(environment, settings.endpoint, settings.connect);
  if (!connection) co_return fail(std::move(connection.error()));
  std::unique_ptr<Session> session(new Session(settings, std::move(*connection)));
  auto begun = co_await session->begin(login);
  if (!begun)
    co_return fail(std::move(begun.error()).during("opening a session with " + settings.endpoint.host));
  co_return session;
}

net::Async<void> Session::begin(const Login& login) {
  connection_->stream().set_quick_ack(true);
  connection_->begin(settings_.command, settings_.command);
  auto greeting = co_await read_status();
  if (!greeting) co_return fail(std::move(greeting.error()));
  if (!greeting->ok()) co_return fail(refusal(*greeting, Stage::greeting));
  timestamp_ = apop_timestamp(greeting->text);
  is_gmail_ = is_gmail_host(settings_.endpoint.host) || greeting->text.starts_with("Gpop ");
  auto asked = co_await read_capabilities();
  if (!asked) co_return asked;
  if (settings_.endpoint.tls == mail::TlsMode::starttls) {
    auto secured = co_await start_tls();
    if (!secured) co_return secured;
  }
  auto signed_in = co_await sign_in(login);
  if (!signed_in) co_return signed_in;
  // What is offered may differ once the server knows for whom.
  if (capabilities_.known) {
    asked = co_await read_capabilities();
    if (!asked) co_return asked;
  }
  connection_->end();
  co_return Result<void>{};
}

net::Async<void> Session::write(std::string_view command) {
  ++commands_;
  return connection_->write(command);
}

net::Async<Status> Session::read_status() {
  mail::LineReader line(line_octets);
  for (;;) {
    auto used = line.feed(connection_->buffered());
    if (!used) {
      connection_->close();
      Error error = std::move(used.error());
      error.retry = RetryClass::after;
      co_return fail(std::move(error));
    }
    connection_->consume(*used);
    if (line.complete()) break;
    auto more = co_await connection_->fill();
    if (!more) co_return fail(std::move(more.error()));
  }
  bare_line_ends_ = line.bare_line_end();
  const std::string text = line.take();
  auto status = parse_status(text);
  if (!status) connection_->close();
  co_return status;
}

net::Async<Status> Session::command(std::string line) {
  connection_->begin(settings_.command, settings_.command);
  line += "\r\n";
  auto written = co_await write(line);
  if (!written) co_return fail(std::move(written.error()));
  co_return co_await read_status();
}

net::Async<void> Session::read_capabilities() {
  std::string line = "CAPA";
  auto status = co_await command(std::move(line));
  if (!status) co_return fail(std::move(status.error()));
  capabilities_ = {};
  // Servers from before RFC 2449.
  if (!status->ok()) co_return Result<void>{};
  capabilities_.known = true;
  const std::function<void(std::string_view)> take = [this](std::string_view one) {
    read_capability(capabilities_, one);
  };
  co_return co_await read_lines(most_capability_lines, take);
}

net::Async<void> Session::start_tls() {
  if (capabilities_.known && !capabilities_.stls) {
    co_return fail(ErrorDomain::tls, "no-stls",
                   settings_.endpoint.host + " does not offer STLS: nothing is sent in the clear");
  }
  std::string line = "STLS";
  auto status = co_await command(std::move(line));
  if (!status) co_return fail(std::move(status.error()));
  if (!status->ok()) {
    co_return fail(
        ErrorDomain::tls, "no-stls",
        settings_.endpoint.host + " refuses STLS: nothing is sent in the clear (" + status->text + ")");
  }
  connection_->end();
  auto secured = co_await connection_->start_tls(settings_.connect);
  if (!secured) co_return secured;
  connection_->stream().set_quick_ack(true);
  co_return co_await read_capabilities();
}

net::Async<void> Session::sign_in(const Login& login) {
  std::string user = login.user;
  if (is_gmail_ && login.gmail_recent && !user.starts_with("recent:")) user = "recent:" + user;
  recent_mode_ = is_gmail_ && user.starts_with("recent:");

  const bool clear_allowed = is_tls() || login.clear_text_without_tls;
  Error why{.domain = ErrorDomain::auth,
            .code = "sign-in-not-offered",
            .message = settings_.endpoint.host + " offers no way to sign in with what there is" +
                       (is_tls() ? "" : " on a connection without TLS")};
  if (login.sasl && !capabilities_.mechanisms.empty()) {
    const net::Stream& stream = connection_->stream();
    const auth::SaslOffer offer{.mechanisms = capabilities_.mechanisms,
                                .is_tls = stream.is_tls(),
                                .tls_server_end_point = stream.tls_server_end_point(),
                                .tls_exporter = stream.tls_exporter(),
                                .service = "pop",
                                .host = settings_.endpoint.host,
                                .port = settings_.endpoint.port};
    auto exchange = login.sasl(offer, user);
    if (exchange) co_return co_await sign_in_by_sasl(**exchange);
    if (exchange.error().code != "no-mechanism" || !login.password) co_return fail(exchange.error());
    why = std::move(exchange.error());
  }
  if (!login.password) co_return fail(std::move(why));
  const bool has_user = !capabilities_.known || capabilities_.user;
  // APOP hides the password, but is MD5: only where the line does not.
  if (!timestamp_.empty() && login.apop && !login.fips && !(is_tls() && has_user))
    co_return co_await sign_in_by_apop(user, *login.password);
  if (has_user && clear_allowed) co_return co_await sign_in_by_password(user, *login.password);
  co_return fail(std::move(why));
}

net::Async<void> Session::sign_in_by_sasl(auth::SaslExchange& exchange) {
  mail::SaslTurn turn = [this](Secret line) -> net::Async<mail::SaslReply> {
    const Secret ended(std::string(line.reveal()) + "\r\n");
    connection_->begin(settings_.command, settings_.command);
    auto written = co_await write(ended.reveal());
    if (!written) co_return fail(std::move(written.error()));
    auto status = co_await read_status();
    if (!status) co_return fail(std::move(status.error()));
    mail::SaslReply said;
    said.text = status->text;
    if (status->kind == Status::Kind::challenge) {
      said.kind = mail::SaslReply::Kind::challenge;
    } else if (status->ok()) {
      said.kind = mail::SaslReply::Kind::success;
    } else {
      said.error = refusal(*status, Stage::sign_in);
      said.kind = said.error.retry == RetryClass::reauthenticate ? mail::SaslReply::Kind::refused
                                                                 : mail::SaslReply::Kind::other;
    }
    co_return said;
  };
  co_return co_await mail::authenticate(exchange, std::move(turn));
}

net::Async<void> Session::sign_in_by_apop(const std::string& user, const Secret& password) {
  if (!fits_a_line(user) || user.find(' ') != std::string::npos) co_return bad_credentials();
  const std::string digest = apop_digest(timestamp_, password);
  if (digest.empty())
    co_return fail(ErrorDomain::auth, "no-mechanism", "APOP needs MD5, which is switched off here");
  std::string line = "APOP " + user + " " + digest;
  auto status = co_await command(std::move(line));
  if (!status) co_return fail(std::move(status.error()));
  if (!status->ok()) co_return fail(refusal(*status, Stage::sign_in));
  co_return Result<void>{};
}

net::Async<void> Session::sign_in_by_password(const std::string& user, const Secret& password) {
  if (!fits_a_line(user) || !fits_a_line(password.reveal())) co_return bad_credentials();
  std::string line = "USER " + user;
  auto status = co_await command(std::move(line));
  if (!status) co_return fail(std::move(status.error()));
  if (!status->ok()) co_return fail(refusal(*status, Stage::sign_in));
  const Secret pass("PASS " + std::string(password.reveal()) + "\r\n");
  connection_->begin(settings_.command, settings_.command);
  auto written = co_await write(pass.reveal());
  if (!written) co_return fail(std::move(written.error()));
  status = co_await read_status();
  if (!status) co_return fail(std::move(status.error()));
  if (!status->ok()) co_return fail(refusal(*status, Stage::sign_in));
  co_return Result<void>{};
}

net::Async<void> Session::read_lines(std::size_t most_lines,
                                     const std::function<void(std::string_view)>& take) {
  MultilineReader reader(bare_line_ends_);
  std::string rest;  // of a line that is not complete yet
  std::size_t lines = 0;
  while (!reader.complete()) {
    if (connection_->buffered().empty()) {
      auto more = co_await connection_->fill();
      if (!more) co_return more;
    }
    const MultilineReader::Step step = reader.feed(connection_->buffered());
    std::string_view text = step.text;
    for (std::size_t end = text.find('\n'); end != std::string_view::npos; end = text.find('\n')) {
      std::string_view line = text.substr(0, end);
      if (!rest.empty()) {
        rest.append(line);
        line = rest;
      }
      if (line.ends_with('\r')) line.remove_suffix(1);
      if (++lines > most_lines || line.size() > line_octets) {
        connection_->close();
        co_return fail(ErrorDomain::mail, "listing-too-long",
                       "the server's list has more than " + std::to_string(most_lines) +
                           " lines, or one that is too long");
      }
      take(line);
      rest.clear();
      text.remove_prefix(end + 1);
    }
    rest.append(text);
    if (rest.size() > line_octets) {
      connection_->close();
      co_return fail(ErrorDomain::mail, "line-too-long",
                     "the server sends a line of more than " + std::to_string(line_octets) + " octets",
                     RetryClass::after);
    }
    connection_->consume(step.consumed);
  }
  co_return Result<void>{};
}

net::Async<std::vector<ListedSize>> Session::list() {
  std::string line = "LIST";
  auto status = co_await command(std::move(line));
  if (!status) co_return fail(std::move(status.error()));
  if (!status->ok()) co_return fail(refusal(*status, Stage::listing));
  std::vector<ListedSize> sizes;
  const std::function<void(std::string_view)> take = [&sizes](std::string_view one) {
    if (const auto parsed = parse_list_line(one)) sizes.push_back(*parsed);
  };
  connection_->begin(settings_.command, settings_.command * 5);
  auto read = co_await read_lines(settings_.most_messages, take);
  if (!read) co_return fail(std::move(read.error()));
  co_return sizes;
}

net::Async<std::optional<std::vector<ListedUid>>> Session::uidl() {
  std::optional<std::vector<ListedUid>> uids;
  if (capabilities_.known && !capabilities_.uidl) co_return uids;
  std::string line = "UIDL";
  auto status = co_await command(std::move(line));
  if (!status) co_return fail(std::move(status.error()));
  if (!status->ok()) {
    Error error = refusal(*status, Stage::listing);
    // A fault that passes is no proof that there are no unique-ids.
    if (!status->code.empty()) co_return fail(std::move(error));
    co_return uids;
  }
  uids.emplace();
  const std::function<void(std::string_view)> take = [&uids](std::string_view one) {
    if (auto parsed = parse_uidl_line(one)) uids->push_back(std::move(*parsed));
  };
  connection_->begin(settings_.command, settings_.command * 5);
  auto read = co_await read_lines(settings_.most_messages, take);
  if (!read) co_return fail(std::move(read.error()));
  co_return uids;
}

net::Async<void> Session::fetch(std::span<const Wanted> wanted, bool header_only, std::uint64_t most_octets,
                                MessageReceiver& receiver) {
  const std::size_t window = capabilities_.pipelining ? std::max<std::size_t>(1, settings_.in_flight) : 1;
  std::size_t asked = 0;
  for (std::size_t done = 0; done < wanted.size(); ++done) {
    // Topped up by halves, so that commands travel together.
    if (asked - done <= window / 2) {
      std::string commands;
      for (; asked < wanted.size() && asked - done < window; ++asked) {
        ++commands_;
        commands += header_only ? "TOP " : "RETR ";
        commands += std::to_string(wanted[asked].number);
        commands += header_only ? " 0\r\n" : "\r\n";
      }
      if (!commands.empty()) {
        connection_->begin(settings_.command, settings_.command);
        auto written = co_await connection_->write(commands);
        if (!written) co_return written;
      }
    }
    const std::uint64_t expected = header_only ? 64 * 1024 : wanted[done].listed_octets;
    const std::uint64_t seconds = std::min<std::uint64_t>(
        expected / std::max<std::uint64_t>(1, settings_.slowest_octets_per_second), 7 * 86'400);
    connection_->begin(settings_.command, settings_.command + std::chrono::seconds(seconds));
    auto status = co_await read_status();
    if (!status) co_return fail(std::move(status.error()));
    if (auto begun = receiver.begin(done); !begun) {
      connection_->close();
      co_return begun;
    }
    Result<void> taken;
    if (status->ok()) {
      taken = co_await receive(done, most_octets, receiver);
    } else {
      Error error = refusal(*status, Stage::message);
      // A fault of the session is not one of the message.
      if (error.retry != RetryClass::quarantine && error.retry != RetryClass::never) {
        connection_->close();
        co_return fail(std::move(error));
      }
      taken = receiver.end(done, fail(std::move(error)));
    }
    if (!taken) {
      connection_->close();
      co_return taken;
    }
  }
  connection_->end();
  co_return Result<void>{};
}

net::Async<void> Session::receive(std::size_t index, std::uint64_t most_octets, MessageReceiver& receiver) {
  MultilineReader reader(bare_line_ends_);
  std::uint64_t octets = 0;
  while (!reader.complete()) {
    if (connection_->buffered().empty()) {
      auto more = co_await connection_->fill();
      if (!more) co_return more;
    }
    const MultilineReader::Step step = reader.feed(connection_->buffered());
    octets += step.text.size();
    if (octets > most_octets) {
      const Error error{.domain = ErrorDomain::mail,
                        .code = "message-too-long",
                        .message = "the message is longer than " + std::to_string(most_octets) + " octets",
                        .retry = RetryClass::quarantine};
      Error of_message = error;
      static_cast<void>(receiver.end(index, fail(std::move(of_message))));
      co_return fail(error);
    }
    if (!step.text.empty())
      if (auto written = receiver.write(step.text); !written) co_return written;
    connection_->consume(step.consumed);
  }
  co_return receiver.end(index, {});
}

net::Async<std::vector<Result<void>>> Session::remove(std::span<const std::uint32_t> numbers) {
  const std::size_t window = capabilities_.pipelining ? std::max<std::size_t>(1, settings_.in_flight) : 1;
  std::vector<Result<void>> results;
  results.reserve(numbers.size());
  while (results.size() < numbers.size()) {
    const auto group =
        numbers.subspan(results.size()).first(std::min(window, numbers.size() - results.size()));
    std::string commands;
    for (const std::uint32_t number : group) commands += "DELE " + std::to_string(number) + "\r\n";
    commands_ += group.size();
    connection_->begin(settings_.command, settings_.command);
    auto written = co_await connection_->write(commands);
    if (!written) co_return fail(std::move(written.error()));
    for (std::size_t i = 0; i < group.size(); ++i) {
      auto status = co_await read_status();
      if (!status) co_return fail(std::move(status.error()));
      if (status->ok())
        results.emplace_back();
      else
        results.emplace_back(fail(refusal(*status, Stage::removal)));
    }
  }
  connection_->end();
  co_return results;
}

net::Async<void> Session::quit() {
  connection_->begin(farewell, farewell * 2);
  std::string_view line = "QUIT\r\n";
  auto written = co_await write(line);
  if (!written) co_return written;
  auto status = co_await read_status();
  connection_->close();
  if (!status) co_return fail(std::move(status.error()));
  if (!status->ok()) co_return fail(refusal(*status, Stage::farewell));
  co_return Result<void>{};
}

}  // namespace syncline::pop3
