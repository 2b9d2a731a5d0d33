// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// A POP3 session: connected, secured, signed in; listings, messages by the stream, deletions that QUIT
// commits.
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "routing/connection/connection.hpp"
#include "routing/connection/login.hpp"
#include "routing/pop3/capabilities.hpp"
#include "routing/pop3/listing.hpp"
#include "routing/pop3/reply_table.hpp"

namespace syncline::pop3 {

struct SessionSettings {
  mail::Endpoint endpoint = {};
  std::chrono::milliseconds connect = std::chrono::seconds(30);
  std::chrono::milliseconds command = std::chrono::minutes(2);  ///< until something moves
  std::uint64_t slowest_octets_per_second = 1024;  ///< a message may take its size by this, and no longer
  std::size_t in_flight = 50;                      ///< commands, where the server has PIPELINING
  std::size_t most_messages = 500'000;             ///< of a listing
};

/// How to sign in. The name may be Gmail's `recent:` form of `user`, which is why it is a parameter.
struct Login {
  std::string user = {};
  std::function<Result<std::unique_ptr<auth::SaslExchange>>(const auth::SaslOffer&, const std::string& user)>
      sasl = {};                                  ///< empty: no SASL
  std::optional<Secret> password = std::nullopt;  ///< for USER/PASS and APOP, where there is no SASL
  bool clear_text_without_tls = false;
  bool fips = false;  ///< no APOP: it is MD5
  bool apop = true;   ///< false: settings ask for the password as it is
  /// Gmail gives a message to one POP client only, and an account that another one empties looks empty to us;
  /// as "recent:user" it shows the last 30 days to everybody. Set by itself where Gmail is seen.
  bool gmail_recent = true;
};

/// Takes messages as they come.
class MessageReceiver {
 public:
  virtual ~MessageReceiver() = default;
  /// The `index`th of those asked for begins; called in their order.
  virtual Result<void> begin(std::size_t index) = 0;
  virtual Result<void> write(std::string_view octets) = 0;
  /// It ended; with an error (classes never and quarantine) if the server refused it. An error given back
  /// from any of the three ends the session.
  virtual Result<void> end(std::size_t index, Result<void> outcome) = 0;
};

/// Not for several coroutines at once. Cancelling what is under way ends the session.
class Session {
 public:
  /// Greeting, CAPA, STLS if the endpoint says so, CAPA again; then SASL, or APOP, or USER and PASS, whatever
  /// fits first. Errors: of the connection; tls "no-stls" (never), "starttls-injection" (never); auth
  /// "sign-in-not-offered" (never), "bad-credentials" (never); those of SASL and of reply_table.hpp.
  static net::Async<std::unique_ptr<Session>> open(net::Environment& environment,
                                                   const SessionSettings& settings, const Login& login);

  net::Async<std::vector<ListedSize>> list();
  /// nullopt: the server has no unique-ids.
  net::Async<std::optional<std::vector<ListedUid>>> uidl();

  struct Wanted {
    std::uint32_t number = 0;
    std::uint64_t listed_octets = 0;
  };
  /// Whole messages (RETR), or their headers (TOP n 0) where `header_only`; as many commands under way as the
  /// server allows. A message of more than `most_octets` ends the session with mail "message-too-long"
  /// (quarantine), after `end` was called for it.
  net::Async<void> fetch(std::span<const Wanted> wanted, bool header_only, std::uint64_t most_octets,
                         MessageReceiver& receiver);
  /// Marks for deletion; what quit() then commits. One result for each.
  net::Async<std::vector<Result<void>>> remove(std::span<const std::uint32_t> numbers);
  /// QUIT: without its +OK nothing was deleted for certain. The session is over.
  net::Async<void> quit();
  void close() noexcept { connection_->close(); }

  const Capabilities& capabilities() const noexcept { return capabilities_; }
  bool is_tls() const noexcept { return connection_->is_tls(); }
  bool usable() const noexcept { return connection_->usable(); }
  /// Signed in as "recent:…": what is missing from the listing may only be old.
  bool recent_mode() const noexcept { return recent_mode_; }
  std::uint64_t commands() const noexcept { return commands_; }

 private:
  Session(SessionSettings settings, std::unique_ptr<mail::Connection> connection)
      : settings_(std::move(settings)), connection_(std::move(connection)) {}

  net::Async<void> begin(const Login& login);
  net::Async<void> write(std::string_view command);
  net::Async<Status> read_status();
  net::Async<Status> command(std::string line);
  net::Async<void> read_capabilities();
  net::Async<void> start_tls();
  net::Async<void> sign_in(const Login& login);
  net::Async<void> sign_in_by_sasl(auth::SaslExchange& exchange);
  net::Async<void> sign_in_by_apop(const std::string& user, const Secret& password);
  net::Async<void> sign_in_by_password(const std::string& user, const Secret& password);
  /// The lines of a multi-line answer whose status was read.
  net::Async<void> read_lines(std::size_t most_lines, const std::function<void(std::string_view)>& take);
  net::Async<void> receive(std::size_t index, std::uint64_t most_octets, MessageReceiver& receiver);

  SessionSettings settings_;
  std::unique_ptr<mail::Connection> connection_;
  Capabilities capabilities_;
  std::string timestamp_;
  bool bare_line_ends_ = false;
  bool is_gmail_ = false;
  bool recent_mode_ = false;
  std::uint64_t commands_ = 0;
};

}  // namespace syncline::pop3
