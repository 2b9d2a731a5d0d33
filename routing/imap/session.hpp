// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Commands and replies over one connection: tags, literals, deadlines. What the commands mean is
// client.hpp's.
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/async.hpp"
#include "net/environment.hpp"
#include "net/event.hpp"
#include "net/watchdog.hpp"
#include "routing/imap/command.hpp"
#include "routing/imap/limits.hpp"
#include "routing/imap/reply_error.hpp"
#include "routing/imap/reply_reader.hpp"

namespace syncline::imap {

struct SessionSettings {
  Limits limits = {};
  std::chrono::milliseconds silence{std::chrono::seconds(60)};  ///< no octet for so long: the server is gone
  std::chrono::milliseconds command{std::chrono::minutes(30)};  ///< one command, from its first octet
  /// IDLE is begun anew so often: before servers (RFC 2177: 30 minutes) and routers between forget us.
  std::chrono::milliseconds idle_renewal{std::chrono::minutes(9)};
  /// How long the server may take to answer the end of IDLE. A dead link is found after both together.
  std::chrono::milliseconds idle_reply{std::chrono::seconds(30)};
};

/// Which literals may be sent without asking (RFC 7888).
enum class LiteralMode : std::uint8_t { ask, up_to_4096, any };

/// What becomes of the untagged replies to a command. An error ends the session.
class ReplyHandler {
 public:
  virtual ~ReplyHandler() = default;
  virtual Result<void> on_reply(Reply&) { return {}; }
  virtual Result<void> on_literal_start(const StreamedLiteral&) { return {}; }
  virtual Result<void> on_literal_data(std::string_view) { return {}; }
  virtual Result<void> on_literal_end() { return {}; }
};

/// Not for several coroutines at once, but for end_idle(). A coroutine that is cancelled, a deadline and any
/// error but a refusal (NO, BAD) end the connection; errors keep the class of their cause. Beside those of
/// the stream and the codec: net "timeout" (after), net "connection-lost" (after; with the server's BYE, if
/// it said one), mail "too-many-replies" (never), and reply_error()'s.
class Session {
 public:
  Session(net::Environment& environment, net::StreamPtr stream, SessionSettings settings);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  /// Sees every untagged reply first: what the state of the connection follows.
  void set_observer(std::function<void(const Reply&)> observer) { observer_ = std::move(observer); }
  void set_literal_mode(LiteralMode mode) noexcept { literal_mode_ = mode; }

  /// The first line: OK or PREAUTH.
  Async<StatusReply> greeting();

  /// Sends, and waits for the end.
  Async<StatusReply> run(Command command, Asked asked, ReplyHandler* handler = nullptr);

  /// Sends a command that has no literal to be asked for; its tag. Several may be under way; wait() for each
  /// in the order they were sent.
  Async<std::string> send(Command command);
  /// Sends several in one write.
  Async<std::vector<std::string>> send_all(std::vector<Command> commands);
  Async<StatusReply> wait(std::string tag, Asked asked, ReplyHandler* handler = nullptr);

  /// A command whose answer is a conversation (AUTHENTICATE): each "+" is answered by a line.
  using Turn = std::variant<ContinuationReply, StatusReply>;
  Async<Turn> next_turn(std::string tag);
  Async<void> answer(Secret line);

  /// In IDLE until the mailbox changes, `until` comes or end_idle() is called; true: it changed.
  Async<bool> idle(SteadyTime until, ReplyHandler* handler = nullptr);
  /// From another coroutine of the executor.
  void end_idle();

  /// For STARTTLS: the clear stream. Error tls "starttls-injection" (never) if the server, or somebody
  /// between, has said anything behind its OK.
  Result<net::StreamPtr> take_stream();
  void put_stream(net::StreamPtr stream);
  /// After the OK to COMPRESS.
  void start_deflate();

  bool is_tls() const noexcept;
  net::Stream* stream() noexcept;
  bool open() const noexcept { return open_; }
  void close() noexcept;
  std::uint64_t commands() const noexcept { return commands_; }
  std::uint64_t octets_received() const noexcept { return octets_received_; }

 private:
  struct Link;

  static boost::asio::awaitable<void> write_done(std::shared_ptr<Link> link);
  void begin_command();
  void arm();
  Async<void> fill(bool keep_deadline = false);
  Async<void> write(std::string_view octets);
  /// Ends the IDLE under way, once.
  void send_done();
  Async<void> write_streamed(Command::Piece& piece);
  /// Sends a command up to its end, asking before literals; a reply that ends it early is left in finished_.
  Async<void> send_asking(Command& command, const std::string& tag, ReplyHandler* handler);
  bool is_asked_for(std::uint64_t literal_octets) const noexcept;
  std::string next_tag();
  /// What the reader's present step means to everybody but the one who waits for the reply.
  Result<void> dispatch(ReplyReader::Step step, ReplyHandler* handler);
  unexpected<Error> broken(Error error);

  net::Environment& environment_;
  SessionSettings settings_;
  std::shared_ptr<Link> link_;
  net::Watchdog watchdog_;
  ReplyReader reader_;
  std::vector<std::byte> buffer_;
  std::string_view input_;
  std::function<void(const Reply&)> observer_;
  std::vector<std::string> pending_;
  std::map<std::string, StatusReply> finished_;
  std::optional<StatusReply> bye_;
  SteadyTime command_deadline_ = SteadyTime::max();
  LiteralMode literal_mode_ = LiteralMode::ask;
  std::uint64_t replies_ = 0;
  std::uint64_t tag_ = 0;
  std::uint64_t commands_ = 0;
  std::uint64_t octets_received_ = 0;
  bool open_ = true;
  bool end_idle_ = false;
  bool idling_ = false;
};

}  // namespace syncline::imap
