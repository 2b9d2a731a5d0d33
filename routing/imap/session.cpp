// SPDX-License-Identifier: GPL-3.0-or-later
#include "routing/imap/session.hpp"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <utility>

#include "routing/imap/deflate_stream.hpp"

namespace syncline::imap {
namespace {

namespace asio = boost::asio;
using Step = ReplyReader::Step;

constexpr std::size_t quiet_octets = 4 * 1024;
constexpr std::size_t busy_octets = 64 * 1024;

std::span<const std::byte> octets_of(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

/// What a client in IDLE waits for.
bool is_change(const Reply& reply) noexcept {
  return std::holds_alternative<ExistsReply>(reply) || std::holds_alternative<ExpungeReply>(reply) ||
         std::holds_alternative<VanishedReply>(reply) || std::holds_alternative<FetchReply>(reply);
}

}  // namespace

/// Shared with the coroutine that ends an IDLE, which may outlive the session.
struct Session::Link {
  Link(asio::any_io_executor executor, net::StreamPtr stream)
      : stream(std::move(stream)), written(std::move(executor)) {}
  net::StreamPtr stream;
  net::Event written;
  bool writing = false;
};

Session::Session(net::Environment& environment, net::StreamPtr stream, SessionSettings settings)
    : environment_(environment),
      settings_(std::move(settings)),
      link_(std::make_shared<Link>(environment.executor, std::move(stream))),
      watchdog_(environment, [this] { close(); }),
      reader_(settings_.limits),
      buffer_(quiet_octets) {
  if (link_->stream != nullptr) link_->stream->set_quick_ack(true);
}

Session::~Session() {
  close();
}

void Session::close() noexcept {
  open_ = false;
  if (link_->stream != nullptr) link_->stream->close();
}

bool Session::is_tls() const noexcept {
  return link_->stream != nullptr && link_->stream->is_tls();
}

net::Stream* Session::stream() noexcept {
  return link_->stream.get();
}

unexpected<Error> Session::broken(Error error) {
  close();
  if (watchdog_.expired())
    return fail(ErrorDomain::net, "timeout", "the IMAP server does not answer", RetryClass::after);
  return fail(std::move(error));
}

void Session::begin_command() {
  command_deadline_ = net::deadline_after(environment_.clock, settings_.command);
  replies_ = 0;
  ++commands_;
}

void Session::arm() {
  watchdog_.arm_for(settings_.silence, command_deadline_);
}

Async<void> Session::fill(bool keep_deadline) {
  if (!open_) {
    co_return broken({.domain = ErrorDomain::net,
                      .code = "connection-lost",
                      .message = "the connection to the IMAP server has ended",
                      .retry = RetryClass::after});
  }
  if (!keep_deadline) arm();
  auto count = co_await link_->stream->read_some(buffer_);
  if (!count) co_return broken(std::move(count.error()));
  if (*count == 0) {
    if (bye_) {
      Error error = reply_error(*bye_, Asked::other);
      co_return broken(std::move(error));
    }
    co_return broken({.domain = ErrorDomain::net,
                      .code = "connection-lost",
                      .message = "the IMAP server has ended the connection",
                      .retry = RetryClass::after});
  }
  octets_received_ += *count;
  if (*count == buffer_.size() && buffer_.size() < busy_octets) {
    // A read that fills the small buffer means bulk: the next ones get the large one.
    std::vector<std::byte> larger(busy_octets);
    std::copy_n(buffer_.begin(), *count, larger.begin());
    buffer_.swap(larger);
  }
  input_ = std::string_view(reinterpret_cast<const char*>(buffer_.data()), *count);
  co_return Result<void>{};
}

Async<void> Session::write(std::string_view octets) {
  if (!open_)
    co_return fail(ErrorDomain::net, "connection-lost", "the connection to the IMAP server has ended",
                   RetryClass::now);
  arm();
  const auto all = octets_of(octets);
  auto written = co_await link_->stream->write_all(all);
  if (!written) co_return broken(std::move(written.error()));
  co_return Result<void>{};
}

Result<void> Session::dispatch(Step step, ReplyHandler* handler) {
  switch (step) {
    case Step::need_more:
      return {};
    case Step::literal_start:
      return handler != nullptr ? handler->on_literal_start(reader_.literal()) : Result<void>{};
    case Step::literal_data:
      return handler != nullptr ? handler->on_literal_data(reader_.data()) : Result<void>{};
    case Step::literal_end:
      return handler != nullptr ? handler->on_literal_end() : Result<void>{};
    case Step::reply:
      break;
  }
  if (++replies_ > settings_.limits.replies_to_a_command)
    return fail(ErrorDomain::mail, "too-many-replies", "the IMAP server does not stop replying");
  Reply& reply = reader_.reply();
  if (const auto* status = std::get_if<StatusReply>(&reply)) {
    if (!status->tag.empty()) {
      const auto pending = std::find(pending_.begin(), pending_.end(), status->tag);
      if (pending == pending_.end())
        return fail(ErrorDomain::mail, "bad-response", "the IMAP server answers a command that was not sent");
      pending_.erase(pending);
      finished_.emplace(status->tag, *status);
      return {};
    }
    if (status->condition == Condition::bye) bye_ = *status;
  }
  if (observer_) observer_(reply);
  return handler != nullptr ? handler->on_reply(reply) : Result<void>{};
}

Async<StatusReply> Session::greeting() {
  begin_command();
  for (;;) {
    auto step = reader_.next(input_);
    if (!step) co_return broken(std::move(step.error()));
    if (*step == Step::need_more) {
      auto filled = co_await fill();
      if (!filled) co_return fail(std::move(filled.error()));
      continue;
    }
    StatusReply status;
    if (*step == Step::reply)
      if (auto* said = std::get_if<StatusReply>(&reader_.reply())) status = std::move(*said);
    if (status.tag.empty() && status.condition == Condition::bye) {
      Error error = reply_error(status, Asked::other);
      co_return broken(std::move(error));
    }
    if (*step != Step::reply || !std::holds_alternative<StatusReply>(reader_.reply()) ||
        !status.tag.empty() || (status.condition != Condition::ok && status.condition != Condition::preauth))
      co_return broken({.domain = ErrorDomain::mail,
                        .code = "bad-greeting",
                        .message = "what answers there is no IMAP server"});
    watchdog_.disarm();
    co_return status;
  }
}

std::string Session::next_tag() {
  return "s" + std::to_string(++tag_);
}

bool Session::is_asked_for(std::uint64_t literal_octets) const noexcept {
  return literal_mode_ == LiteralMode::ask ||
         (literal_mode_ == LiteralMode::up_to_4096 && literal_octets > 4096);
}

Async<void> Session::write_streamed(Command::Piece& piece) {
  std::vector<std::byte> buffer(busy_octets);
  std::uint64_t left = piece.octets;
  while (left > 0) {
    const std::span<std::byte> room = std::span<std::byte>(buffer).first(
        static_cast<std::size_t>(std::min<std::uint64_t>(left, buffer.size())));
    auto count = piece.read(room);
    // A literal cannot be taken back: only the end of the connection stops it.
    if (!count) co_return broken(std::move(count.error()));
    if (*count == 0 || *count > room.size())
      co_return broken({.domain = ErrorDomain::local,
                        .code = "content-cut",
                        .message = "the content is shorter than it was said to be"});
    left -= *count;
    const std::string_view ready(reinterpret_cast<const char*>(buffer.data()), *count);
    auto written = co_await write(ready);
    if (!written) co_return written;
  }
  co_return Result<void>{};
}

Async<void> Session::send_asking(Command& command, const std::string& tag, ReplyHandler* handler) {
  std::string out = tag + " ";
  for (Command::Piece& piece : command.pieces()) {
    out += piece.text;
    if (!piece.has_literal) continue;
    const bool ask = is_asked_for(piece.octets);
    out += "{" + std::to_string(piece.octets) + (ask ? "}\r\n" : "+}\r\n");
    if (ask) {
      auto written = co_await write(out);
      if (command.is_secret()) wipe(out);
      out.clear();
      if (!written) co_return written;
      for (bool may_go = false; !may_go;) {
        auto step = reader_.next(input_);
        if (!step) co_return broken(std::move(step.error()));
        if (*step == Step::need_more) {
          auto filled = co_await fill();
          if (!filled) co_return filled;
          continue;
        }
        if (*step == Step::reply && std::holds_alternative<ContinuationReply>(reader_.reply())) {
          may_go = true;
          continue;
        }
        auto passed = dispatch(*step, handler);
        if (!passed) co_return broken(std::move(passed.error()));
        if (finished_.contains(tag)) co_return Result<void>{};  // refused: the rest is not sent
      }
    }
    if (piece.read) {
      auto written = co_await write(out);
      if (!written) co_return written;
      out.clear();
      auto streamed = co_await write_streamed(piece);
      if (!streamed) co_return streamed;
    } else {
      out += piece.literal;
    }
  }
  out += "\r\n";
  auto written = co_await write(out);
  if (command.is_secret()) wipe(out);
  co_return written;
}

Async<StatusReply> Session::run(Command command, Asked asked, ReplyHandler* handler) {
  if (auto good = command.check(); !good) co_return fail(std::move(good.error()));
  const std::string tag = next_tag();
  begin_command();
  pending_.push_back(tag);
  auto sent = co_await send_asking(command, tag, handler);
  if (!sent) co_return fail(std::move(sent.error()).during(command.name()));
  auto ended = co_await wait(tag, asked, handler);
  if (!ended) co_return fail(std::move(ended.error()).during(command.name()));
  co_return ended;
}

Async<std::string> Session::send(Command command) {
  std::vector<Command> one;
  one.push_back(std::move(command));
  auto tags = co_await send_all(std::move(one));
  if (!tags) co_return fail(std::move(tags.error()));
  co_return std::move(tags->front());
}

Async<std::vector<std::string>> Session::send_all(std::vector<Command> commands) {
  std::vector<std::string> tags;
  std::string out;
  bool secret = false;
  for (Command& command : commands) {
    if (auto good = command.check(); !good) co_return fail(std::move(good.error()));
    begin_command();
    tags.push_back(next_tag());
    pending_.push_back(tags.back());
    out += tags.back() + " ";
    for (const Command::Piece& piece : command.pieces()) {
      out += piece.text;
      if (piece.has_literal)
        co_return broken({.domain = ErrorDomain::local,
                          .code = "literal-in-a-row",
                          .message = "a command with a literal cannot be sent before others have ended"});
    }
    out += "\r\n";
    secret = secret || command.is_secret();
  }
  auto written = co_await write(out);
  if (secret) wipe(out);
  if (!written) co_return fail(std::move(written.error()));
  co_return tags;
}

Async<StatusReply> Session::wait(std::string tag, Asked asked, ReplyHandler* handler) {
  for (;;) {
    if (const auto done = finished_.find(tag); done != finished_.end()) {
      StatusReply status = std::move(done->second);
      finished_.erase(done);
      if (pending_.empty()) watchdog_.disarm();
      if (status.condition != Condition::ok) {
        Error error = reply_error(status, asked);
        co_return fail(std::move(error));
      }
      co_return status;
    }
    auto step = reader_.next(input_);
    if (!step) co_return broken(std::move(step.error()));
    if (*step == Step::need_more) {
      auto filled = co_await fill();
      if (!filled) co_return fail(std::move(filled.error()));
      continue;
    }
    auto passed = dispatch(*step, handler);
    if (!passed) co_return broken(std::move(passed.error()));
  }
}

Async<Session::Turn> Session::next_turn(std::string tag) {
  for (;;) {
    if (const auto done = finished_.find(tag); done != finished_.end()) {
      StatusReply status = std::move(done->second);
      finished_.erase(done);
      watchdog_.disarm();
      co_return Turn(std::move(status));
    }
    auto step = reader_.next(input_);
    if (!step) co_return broken(std::move(step.error()));
    if (*step == Step::need_more) {
      auto filled = co_await fill();
      if (!filled) co_return fail(std::move(filled.error()));
      continue;
    }
    if (*step == Step::reply)
      if (auto* more = std::get_if<ContinuationReply>(&reader_.reply())) co_return Turn(std::move(*more));
    auto passed = dispatch(*step, nullptr);
    if (!passed) co_return broken(std::move(passed.error()));
  }
}

Async<void> Session::answer(Secret line) {
  std::string out;
  out.reserve(line.reveal().size() + 2);
  out += line.reveal();
  out += "\r\n";
  auto written = co_await write(out);
  wipe(out);
  co_return written;
}

asio::awaitable<void> Session::write_done(std::shared_ptr<Link> link) {
  const auto done = octets_of("DONE\r\n");
  static_cast<void>(co_await link->stream->write_all(done));
  link->writing = false;
  link->written.notify_all();
}

void Session::send_done() {
  if (!idling_) return;
  idling_ = false;
  link_->writing = true;
  asio::co_spawn(environment_.executor, write_done(link_), asio::detached);
  watchdog_.arm_for(settings_.idle_reply);
}

void Session::end_idle() {
  end_idle_ = true;
  send_done();
}

Async<bool> Session::idle(SteadyTime until, ReplyHandler* handler) {
  end_idle_ = false;
  bool changed = false;
  while (!changed && !end_idle_ && environment_.clock.steady_now() < until) {
    const std::string tag = next_tag();
    begin_command();
    pending_.push_back(tag);
    const std::string command = tag + " IDLE\r\n";
    auto asked = co_await write(command);
    if (!asked) co_return fail(std::move(asked.error()));

    const SteadyTime renewal =
        std::min(net::deadline_after(environment_.clock, settings_.idle_renewal), until);
    bool begun = false;
    net::Watchdog renew(environment_, [this] { send_done(); });
    while (!finished_.contains(tag)) {
      auto step = reader_.next(input_);
      if (!step) co_return broken(std::move(step.error()));
      if (*step == Step::need_more) {
        if (begun) {
          // Thousands of connections wait here.
          if (buffer_.size() > quiet_octets) std::vector<std::byte>(quiet_octets).swap(buffer_);
          reader_.give_back();
        }
        auto filled = co_await fill(begun);
        if (!filled) {
          idling_ = false;
          co_return fail(std::move(filled.error()));
        }
        continue;
      }
      if (*step == Step::reply && std::holds_alternative<ContinuationReply>(reader_.reply())) {
        if (begun) continue;
        begun = true;
        idling_ = true;
        renew.arm(renewal);
        // The one deadline of this IDLE: past it nobody has answered our DONE.
        watchdog_.arm(renewal + settings_.idle_reply);
        if (changed || end_idle_) send_done();
        continue;
      }
      if (*step == Step::reply && is_change(reader_.reply())) changed = true;
      auto passed = dispatch(*step, handler);
      if (!passed) co_return broken(std::move(passed.error()));
      if (changed) send_done();
    }
    idling_ = false;
    while (link_->writing) {
      auto written = co_await link_->written.wait();
      if (!written) co_return broken(std::move(written.error()));
    }
    auto ended = co_await wait(tag, Asked::other, handler);
    if (!ended) co_return fail(std::move(ended.error()));
  }
  co_return changed;
}

Result<net::StreamPtr> Session::take_stream() {
  if (!input_.empty()) {
    close();
    return fail(
        ErrorDomain::tls, "starttls-injection",
        "octets came between the answer to STARTTLS and the handshake: somebody may have put them there");
  }
  if (!open_ || link_->stream == nullptr)
    return fail(ErrorDomain::net, "connection-lost", "the connection to the IMAP server has ended",
                RetryClass::after);
  watchdog_.disarm();
  return std::move(link_->stream);
}

void Session::put_stream(net::StreamPtr stream) {
  link_->stream = std::move(stream);
  link_->stream->set_quick_ack(true);
}

void Session::start_deflate() {
  link_->stream = make_deflate_stream(std::move(link_->stream), input_);
  input_ = {};
}

}  // namespace syncline::imap
