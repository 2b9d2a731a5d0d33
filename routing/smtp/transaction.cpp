// SPDX-License-Identifier: GPL-3.0-or-later
#include "routing/smtp/transaction.hpp"

#include <algorithm>
#include <deque>
#include <optional>
#include <utility>

#include "routing/smtp/commands.hpp"
#include "routing/smtp/content_encoder.hpp"
#include "routing/smtp/reply_table.hpp"

namespace syncline::smtp {
namespace {

using net::Async;

/// A message up to here goes out together with its envelope: one round trip. A longer one waits for the
/// recipients' verdicts first, which costs it little and spares the line what nobody wants.
constexpr std::size_t joined_octets = 128 * 1024;
constexpr std::size_t piece_octets = 64 * 1024;
constexpr std::size_t chunk_octets = 512 * 1024;
/// Replies to so many commands fit into every socket's buffer while we write; also what a server has to
/// take in one message (RFC 5321 section 4.5.3.1.8).
constexpr std::size_t group_recipients = 100;

class Transaction {
 public:
  Transaction(Channel& channel, const TransactionSettings& settings, const Envelope& envelope,
              net::Source& text, const BeforeCommit& before_commit)
      : channel_(channel),
        settings_(settings),
        envelope_(envelope),
        text_(text),
        before_commit_(before_commit),
        pipelining_(settings.use_pipelining && channel.capabilities().pipelining),
        chunking_(settings.use_chunking && channel.capabilities().chunking) {}

  Async<Delivery> run() {
    for (const std::string& address : envelope_.recipients)
      delivery_.recipients.push_back({.address = address, .error = not_asked()});
    auto done = co_await converse();
    channel_.end();
    if (done) {
      delivery_.state = Delivery::State::accepted;
    } else {
      delivery_.state = committed_ && !ruled_out_ ? Delivery::State::unknown : Delivery::State::refused;
      delivery_.error = std::move(done.error());
      if (delivery_.state == Delivery::State::refused) withdraw_acceptances();
      // Where replies are owed still, the next message would read them as its own.
      if (!owed_.empty() || data_open_) channel_.close();
    }
    co_return std::move(delivery_);
  }

 private:
  enum class Expected : std::uint8_t { reset, sender, recipient, data, final };
  struct Owed {
    Expected what;
    std::size_t recipient = 0;
  };

  static Error not_asked() {
    return Error{.domain = ErrorDomain::mail,
                 .code = std::string(code_not_asked),
                 .message = "the server was not asked for this recipient",
                 .retry = RetryClass::after};
  }

  /// A recipient that the server took is nothing without the message.
  void withdraw_acceptances() {
    for (RecipientResult& recipient : delivery_.recipients) {
      if (recipient.state != RecipientResult::State::accepted) continue;
      const bool passing = delivery_.error.retry != RetryClass::never;
      recipient.state = passing ? RecipientResult::State::temporary : RecipientResult::State::permanent;
      recipient.error = delivery_.error;
    }
  }

  Async<void> converse() {
    if (auto good = check_size(); !good) co_return good;
    if (auto begun = text_.rewind(); !begun) co_return begun;
    auto prepared = prepare();
    if (!prepared) co_return prepared;
    const auto size = text_.size();
    const bool joined =
        pipelining_ && chunking_ && size && *size <= joined_octets && commands_.size() <= group_recipients;
    channel_.begin(settings_.command);
    if (joined) co_return co_await send_joined();
    auto opened = co_await open_transaction();
    if (!opened) co_return opened;
    if (chunking_) co_return co_await send_chunks();
    co_return co_await send_data();
  }

  Result<void> check_size() const {
    const auto size = text_.size();
    const auto limit = channel_.capabilities().size_limit_octets;
    if (!size || !limit || *size <= *limit) return {};
    return fail(
        ErrorDomain::mail, "message-too-large",
        "the message has " + std::to_string(*size) + " octets, the server takes " + std::to_string(*limit));
  }

  /// All commands of the envelope, checked. One recipient's bad address is that recipient's alone.
  Result<void> prepare() {
    const Capabilities& capabilities = channel_.capabilities();
    const bool international =
        std::any_of(envelope_.recipients.begin(), envelope_.recipients.end(), [](const std::string& address) {
          return std::any_of(address.begin(), address.end(),
                             [](char c) { return static_cast<unsigned char>(c) >= 0x80; });
        });
    MailParameters parameters{.size_octets = text_.size(),
                              .eight_bit = envelope_.eight_bit,
                              .smtputf8 = envelope_.smtputf8 || (international && capabilities.smtputf8),
                              .envelope_id = envelope_.envelope_id};
    auto sender = mail_from(envelope_.sender, parameters, capabilities);
    if (!sender) return fail(std::move(sender.error()));
    sender_ = std::move(*sender);
    const std::size_t most = static_cast<std::size_t>(
        std::min<std::uint64_t>(capabilities.most_recipients.value_or(group_recipients * 10), 10'000));
    for (std::size_t i = 0; i < delivery_.recipients.size(); ++i) {
      RecipientResult& recipient = delivery_.recipients[i];
      auto command = rcpt_to(recipient.address, parameters.smtputf8, capabilities);
      if (!command) {
        recipient.state = RecipientResult::State::permanent;
        recipient.error = std::move(command.error());
      } else if (commands_.size() < most) {
        commands_.push_back({i, std::move(*command)});
      } else {
        recipient.error.code = "too-many-recipients";
      }
    }
    if (commands_.empty()) return nobody();
    return {};
  }

  unexpected<Error> nobody() const {
    for (const RecipientResult& recipient : delivery_.recipients)
      if (recipient.state == RecipientResult::State::temporary && recipient.error.code != "not-asked") {
        Error error = recipient.error;
        return fail(std::move(error));
      }
    for (const RecipientResult& recipient : delivery_.recipients)
      if (recipient.state == RecipientResult::State::permanent) {
        Error error = recipient.error;
        return fail(std::move(error));
      }
    return fail(ErrorDomain::input, "no-recipients", "the message has nobody to go to");
  }

  // ---- groups of commands

  void add(std::string_view command, Owed owed) {
    out_ += command;
    owed_.push_back(owed);
  }

  void add_opening() {
    if (channel_.needs_reset()) add("RSET\r\n", {Expected::reset});
    channel_.set_needs_reset(true);
    add(sender_, {Expected::sender});
  }

  /// Sends what was added in one write and reads all replies. Refusals are noted, not returned.
  Async<void> flush() {
    const std::string octets = std::exchange(out_, {});
    auto written = co_await channel_.write(octets);
    // Even then: a server that closes has often said why.
    while (!owed_.empty()) {
      auto reply = co_await channel_.reply();
      if (!reply) {
        if (!written) co_return fail(std::move(written.error()));
        co_return fail(std::move(reply.error()));
      }
      const Owed owed = owed_.front();
      owed_.pop_front();
      if (reply->code == 421) {
        // Replies come in order: what was asked after this was not looked at.
        ruled_out_ = true;
        owed_.clear();
        channel_.close();
        co_return fail(refusal(*reply, stage_of(owed.what)));
      }
      note(owed, *reply);
    }
    co_return Result<void>{};
  }

  static Stage stage_of(Expected what) noexcept {
    switch (what) {
      case Expected::reset:
        return Stage::other;
      case Expected::sender:
        return Stage::sender;
      case Expected::recipient:
        return Stage::recipient;
      case Expected::data:
        return Stage::data;
      case Expected::final:
        return Stage::content;
    }
    return Stage::other;
  }

  void note(const Owed& owed, const Reply& reply) {
    switch (owed.what) {
      case Expected::reset:
        break;
      case Expected::sender:
        if (!reply.positive()) refused_ = refusal(reply, Stage::sender);
        break;
      case Expected::recipient:
        note_recipient(delivery_.recipients[owed.recipient], reply);
        break;
      case Expected::data:
        data_open_ = reply.code == 354;
        if (!data_open_) data_refused_ = refusal(reply, Stage::data);
        break;
      case Expected::final:
        final_ = reply;
        break;
    }
  }

  void note_recipient(RecipientResult& recipient, const Reply& reply) {
    if (reply.positive()) {
      recipient.state = RecipientResult::State::accepted;
      recipient.error = {};
      ++accepted_;
      return;
    }
    // After a refused MAIL the rest of the group is out of order, and says nothing about anybody.
    if (refused_) return;
    recipient.error = refusal(reply, Stage::recipient);
    recipient.state = recipient.error.retry == RetryClass::never ? RecipientResult::State::permanent
                                                                 : RecipientResult::State::temporary;
    // A sign-in that is asked for now is everybody's matter.
    if (recipient.error.retry == RetryClass::reauthenticate) refused_ = recipient.error;
  }

  /// Nothing that the server said so far keeps the message from going to somebody.
  Result<void> may_go_on() {
    if (refused_) {
      ruled_out_ = true;
      Error error = *refused_;
      return fail(std::move(error));
    }
    if (accepted_ == 0) {
      ruled_out_ = true;
      return nobody();
    }
    // Last, because it is only an echo where nobody was accepted.
    if (data_refused_) {
      ruled_out_ = true;
      Error error = *data_refused_;
      return fail(std::move(error));
    }
    return {};
  }

  Result<void> commit() {
    if (before_commit_)
      if (auto noted = before_commit_(); !noted) return noted;
    committed_ = true;
    return {};
  }

  /// After the whole text: what the server made of it.
  Result<void> settle() {
    if (auto going = may_go_on(); !going) return going;
    if (!final_) return fail(ErrorDomain::mail, "bad-reply", "the server did not judge the message");
    if (final_->positive()) {
      channel_.set_needs_reset(false);
      delivery_.reply = final_->describe();
      return {};
    }
    ruled_out_ = final_->code / 100 >= 4;
    return fail(refusal(*final_, Stage::content));
  }

  // ---- the three ways

  /// RFC 3030 section 4.2: MAIL, RCPT and BDAT LAST in one write.
  Async<void> send_joined() {
    auto text = co_await read_all();
    if (!text) co_return fail(std::move(text.error()));
    add_opening();
    for (const auto& [index, command] : commands_) add(command, {Expected::recipient, index});
    add(bdat(text->size(), true), {Expected::final});
    out_ += *text;
    if (auto noted = commit(); !noted) {
      // Nothing has gone out.
      owed_.clear();
      co_return noted;
    }
    channel_.begin(settings_.verdict);
    auto flushed = co_await flush();
    if (!flushed) co_return flushed;
    co_return settle();
  }

  Async<std::string> read_all() {
    std::vector<std::byte> piece(piece_octets);
    ContentEncoder encoder(ContentEncoder::Form::plain);
    std::string text;
    for (;;) {
      auto count = co_await text_.read(piece);
      if (!count) co_return fail(std::move(count.error()));
      if (*count == 0) break;
      encoder.feed({reinterpret_cast<const char*>(piece.data()), *count}, text);
      if (text.size() > joined_octets * 4)
        co_return fail(ErrorDomain::local, "content-grew", "the message is longer than it said");
    }
    encoder.finish(text);
    co_return text;
  }

  /// MAIL, RCPT, and (without CHUNKING) DATA. Afterwards somebody was accepted.
  Async<void> open_transaction() {
    add_opening();
    if (!pipelining_) {
      auto flushed = co_await flush();
      if (!flushed) co_return flushed;
      if (refused_) co_return may_go_on();
    }
    std::size_t in_group = 0;
    for (const auto& [index, command] : commands_) {
      if (!pipelining_ || ++in_group > group_recipients) {
        auto flushed = co_await flush();
        if (!flushed) co_return flushed;
        if (refused_) co_return may_go_on();
        in_group = 1;
      }
      add(command, {Expected::recipient, index});
    }
    if (!pipelining_ || chunking_) {
      auto flushed = co_await flush();
      if (!flushed) co_return flushed;
      if (auto going = may_go_on(); !going || chunking_) co_return going;
    }
    add("DATA\r\n", {Expected::data});
    auto flushed = co_await flush();
    if (!flushed) co_return flushed;
    auto going = may_go_on();
    // RFC 2920 section 3.1: a server that took DATA though it took nobody gets an empty message.
    if (!going && data_open_) {
      add(".\r\n", {Expected::final});
      auto ended = co_await flush();
      if (ended) data_open_ = false;
    }
    co_return going;
  }

  Async<void> send_data() {
    std::vector<std::byte> piece(piece_octets);
    ContentEncoder encoder(ContentEncoder::Form::dot_stuffed);
    channel_.begin(settings_.content);
    std::string text;
    for (;;) {
      auto count = co_await text_.read(piece);
      // There is no way to take a begun text back but to end the connection without the dot.
      if (!count) co_return fail(std::move(count.error()));
      if (*count == 0) break;
      // The last piece waits for the dot: two writes would meet the server's delayed acknowledgement.
      if (!text.empty()) {
        auto written = co_await channel_.write(text);
        if (!written) co_return co_await explained(std::move(written.error()));
        channel_.begin(settings_.content);
        text.clear();
      }
      encoder.feed({reinterpret_cast<const char*>(piece.data()), *count}, text);
    }
    encoder.finish(text);
    if (auto noted = commit(); !noted) co_return noted;
    channel_.begin(settings_.verdict);
    data_open_ = false;
    out_ = std::move(text);
    owed_.push_back({Expected::final});
    auto flushed = co_await flush();
    if (!flushed) co_return flushed;
    co_return settle();
  }

  /// One chunk is under way while the reply to the one before is read.
  Async<void> send_chunks() {
    std::vector<std::byte> piece(piece_octets);
    ContentEncoder encoder(ContentEncoder::Form::plain);
    channel_.begin(settings_.content);
    std::string text;
    bool ended = false;
    while (!ended) {
      std::string chunk = std::exchange(text, {});
      while (!ended && text.empty()) {
        auto count = co_await text_.read(piece);
        if (!count) {
          channel_.close();
          co_return fail(std::move(count.error()));
        }
        ended = *count == 0;
        std::string& into = chunk.size() < chunk_octets ? chunk : text;
        if (ended)
          encoder.finish(chunk);
        else
          encoder.feed({reinterpret_cast<const char*>(piece.data()), *count}, into);
      }
      auto sent = co_await send_chunk(std::move(chunk), ended);
      if (!sent) co_return sent;
    }
    co_return settle();
  }

  Async<void> send_chunk(std::string chunk, bool last) {
    if (last) {
      if (auto noted = commit(); !noted) {
        channel_.close();
        co_return noted;
      }
    }
    channel_.begin(last ? settings_.verdict : settings_.content);
    const std::string octets = bdat(chunk.size(), last) + chunk;
    auto written = co_await channel_.write(octets);
    if (!written) co_return co_await explained(std::move(written.error()));
    ++chunks_owed_;
    const unsigned keep = pipelining_ && !last ? 1 : 0;
    while (chunks_owed_ > keep) {
      auto reply = co_await channel_.reply();
      if (!reply) co_return fail(std::move(reply.error()));
      --chunks_owed_;
      if (!reply->positive()) {
        ruled_out_ = true;
        // The chunk that is under way has its own reply to come; a new connection is simpler than waiting.
        if (chunks_owed_ > 0) channel_.close();
        co_return fail(refusal(*reply, Stage::content));
      }
      if (last && chunks_owed_ == 0) final_ = std::move(*reply);
    }
    co_return Result<void>{};
  }

  /// A server that refuses in the middle of a text says so before it closes.
  Async<void> explained(Error error) {
    auto reply = co_await channel_.reply();
    if (!reply || reply->positive()) co_return fail(std::move(error));
    ruled_out_ = true;
    co_return fail(refusal(*reply, Stage::content));
  }

  Channel& channel_;
  const TransactionSettings& settings_;
  const Envelope& envelope_;
  net::Source& text_;
  const BeforeCommit& before_commit_;
  bool pipelining_;
  bool chunking_;
  Delivery delivery_;
  std::string sender_;
  std::vector<std::pair<std::size_t, std::string>> commands_;  ///< recipient's place, command
  std::string out_;
  std::deque<Owed> owed_;
  std::optional<Error> refused_;  ///< MAIL, or all of us
  std::optional<Error> data_refused_;
  std::optional<Reply> final_;
  std::size_t accepted_ = 0;
  unsigned chunks_owed_ = 0;
  bool data_open_ = false;
  bool committed_ = false;
  bool ruled_out_ = false;
};

}  // namespace

net::Async<Delivery> run_transaction(Channel& channel, const TransactionSettings& settings,
                                     const Envelope& envelope, net::Source& text,
                                     const BeforeCommit& before_commit) {
  Transaction transaction(channel, settings, envelope, text, before_commit);
  co_return co_await transaction.run();
}

}  // namespace syncline::smtp
