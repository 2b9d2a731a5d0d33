// SPDX-License-Identifier: GPL-3.0-or-later
#include "routing/smtp/driver/sender.hpp"

#include <algorithm>
#include <utility>

#include "routing/smtp/address.hpp"

namespace syncline::smtp {
namespace {

using Step = SendJournal::Step;
using Note = RecipientNote::State;

constexpr std::chrono::seconds first_look{5};
constexpr unsigned most_copy_tries = 3;

unexpected<Error> needs_person(std::string why) {
  return fail(ErrorDomain::mail, "needs-person", std::move(why));
}

/// What the user sees of those that got nothing.
std::string not_delivered(const SendJournal& journal) {
  std::string text;
  for (const RecipientNote& note : journal.recipients) {
    if (note.state == Note::accepted) continue;
    text += (text.empty() ? "not delivered to " : "; ") + note.address;
    if (!note.said.empty()) text += ": " + note.said;
  }
  return text;
}

/// Of a message to several whose answers were lost: for whom nobody saw one.
std::string not_confirmed(const SendJournal& journal) {
  std::string text;
  for (const RecipientNote& note : journal.recipients)
    if (note.unconfirmed)
      text += (text.empty() ? "the answers were lost; the message went out, but not known to be accepted for "
                            : ", ") +
              note.address;
  return text;
}

/// Outlook.com names the Message-ID that it gave: "250 2.0.0 OK <…> [Hostname=…]".
std::string told_message_id(std::string_view reply) {
  if (reply.find("[Hostname=") == std::string_view::npos) return {};
  const std::size_t begin = reply.find("OK <");
  if (begin == std::string_view::npos) return {};
  const std::size_t end = reply.find('>', begin);
  if (end == std::string_view::npos || end - begin > 500) return {};
  const std::string_view id = reply.substr(begin + 3, end - begin - 2);
  const bool printable = std::all_of(id.begin(), id.end(), [](char c) {
    return static_cast<unsigned char>(c) > 0x20 && static_cast<unsigned char>(c) < 0x7f;
  });
  return printable && id.find('@') != std::string_view::npos ? std::string(id) : std::string();
}

void add_remark(std::string& remark, const std::string& more) {
  if (more.empty()) return;
  if (!remark.empty()) remark += "; ";
  remark += more;
}

}  // namespace

Sender::Sender(net::Environment& environment, SenderSettings settings, mail::ChooseSasl choose,
               Compose compose, SentFolder sent_folder)
    : environment_(environment),
      settings_(std::move(settings)),
      choose_(std::move(choose)),
      compose_(std::move(compose)),
      sent_folder_(std::move(sent_folder)),
      session_free_(environment.executor),
      folder_free_(environment.executor) {}

Sender::Lease::~Lease() {
  if (!sender_) return;
  if (session && session->usable()) sender_->idle_.push_back(std::move(session));
  --sender_->in_use_;
  sender_->session_free_.notify_one();
}

Sender::FolderTurn::~FolderTurn() {
  if (!sender_) return;
  sender_->folder_in_use_ = false;
  sender_->folder_free_.notify_one();
}

Async<Sender::FolderTurn> Sender::take_folder() {
  while (folder_in_use_) {
    auto waited = co_await folder_free_.wait();
    if (!waited) co_return fail(std::move(waited.error()));
  }
  co_return FolderTurn(*this);
}

SentMark Sender::Job::mark() const {
  return {.message_id = journal.message_id, .operation_id = order.operation_id};
}

Async<sync::Applied> Sender::send(const sync::WriteOrder& order, sync::Progress& progress,
                                  const sync::OpenContent& content) {
  Job job{.order = order, .content = content, .journal = SendJournal(progress)};
  if (auto begun = begin(job); !begun) co_return fail(std::move(begun.error()));
  if (job.journal.step == Step::open) {
    auto turn = co_await take_folder();
    if (!turn) co_return fail(std::move(turn.error()));
    auto settled = co_await settle(job);
    if (!settled) co_return fail(std::move(settled.error()));
  }
  if (job.journal.step != Step::sent) {
    auto delivered = co_await deliver(job);
    if (!delivered) co_return fail(std::move(delivered.error()).during("sending a message"));
  }
  sync::Applied applied;
  applied.sent_message_id = job.told_message_id.empty() ? job.journal.message_id : job.told_message_id;
  applied.remark = not_delivered(job.journal);
  add_remark(applied.remark, not_confirmed(job.journal));
  for (const RecipientNote& recipient : job.journal.recipients)
    if (recipient.state != RecipientNote::State::accepted)
      applied.refused_recipients.push_back(recipient.address);
  // The wait may be long, and the mail is out: a stop meanwhile must find that noted.
  if (folder_in_use_)
    if (auto saved = job.journal.save(); !saved) co_return fail(std::move(saved.error()));
  auto turn = co_await take_folder();
  if (!turn) co_return fail(std::move(turn.error()));
  auto copy = co_await put_copy(job, applied.remark);
  if (!copy) co_return fail(std::move(copy.error()));
  applied.item = std::move(*copy);
  co_return applied;
}

Result<void> Sender::begin(Job& job) {
  SendJournal& journal = job.journal;
  auto loaded = journal.load();
  if (!loaded) return fail(std::move(loaded.error()));
  job.resumed = *loaded;
  if (job.resumed) return {};
  journal.message_id = message_id_for(job.order, settings_.address);
  journal.date = environment_.clock.now();
  for (std::string& address : recipients_of(job.order.fields))
    journal.recipients.push_back({.address = std::move(address)});
  if (journal.recipients.empty())
    return fail(ErrorDomain::input, "no-recipients", "the message has nobody to go to");
  return {};
}

/// An answer was lost: only the Sent folder can tell. That it is there is proof; that it is not, only when
/// the server had its time.
Async<void> Sender::settle(Job& job) {
  SendJournal& journal = job.journal;
  const std::string lost = "the server's answer to the message was lost";
  if (!sent_folder_.find)
    co_return needs_person(lost + ", and there is no Sent folder to look in: it may have been sent or not");
  const SystemTime until = std::max(journal.begun + settings_.evidence_window, journal.settled_after());
  const SentMark mark = job.mark();
  auto found = co_await await_sent(environment_, sent_folder_.find, mark, until, settings_.evidence_pause);
  if (!found) {
    Error error = std::move(found.error());
    if (error.retry != RetryClass::reauthenticate) error.retry = RetryClass::after;
    co_return fail(std::move(error).during("looking in the Sent folder for a message whose answer was lost"));
  }
  if (!*found)
    co_return needs_person(lost + ", and it is not in the Sent folder: it may have been sent or not");
  for (const std::string& address : journal.trying)
    if (RecipientNote* note = journal.find(address)) {
      note->state = Note::accepted;
      note->said.clear();
      note->unconfirmed = journal.trying.size() > 1 && !note->heard;
    }
  journal.trying.clear();
  journal.step = journal.waiting().empty() ? Step::sent : Step::ready;
  co_return Result<void>{};
}

Async<void> Sender::deliver(Job& job) {
  SendJournal& journal = job.journal;
  while (!journal.waiting().empty()) {
    const std::size_t waited = journal.waiting().size();
    auto done = co_await deliver_once(job);
    if (!done && (!journal.any_accepted() || done.error().code == "uncertain" ||
                  done.error().domain == ErrorDomain::local))
      co_return done;
    const std::vector<std::string> waiting = journal.waiting();
    if (waiting.empty()) break;
    RecipientNote* first = journal.find(waiting.front());
    // A server that takes so many at once gets the next ones with the next message.
    if (done && waiting.size() < waited && first->said.find("too-many-recipients") != std::string::npos)
      continue;
    // Somebody has it already, so the order cannot fail any more: what stands in the others' way does not
    // stand there for ever.
    if (!done && first->said.empty()) first->said = done.error().describe();
    const bool for_good = !done && done.error().retry == RetryClass::never;
    if (++journal.tries >= settings_.most_tries || for_good) {
      for (const std::string& address : waiting) journal.find(address)->state = Note::refused;
      break;
    }
    if (auto saved = journal.save(); !saved) co_return saved;
    if (!done) co_return done;
    co_return fail(ErrorDomain::mail, "recipients-deferred",
                   "the server puts " + waiting.front() + " off: " + first->said, RetryClass::after);
  }
  if (!journal.any_accepted())
    co_return fail(ErrorDomain::mail, "all-recipients-refused", not_delivered(journal));
  journal.step = Step::sent;
  co_return Result<void>{};
}

Async<void> Sender::deliver_once(Job& job) {
  SendJournal& journal = job.journal;
  auto lease = co_await lease_session();
  if (!lease) co_return fail(std::move(lease.error()));
  Session& session = *lease->session;
  ComposeWish wish;
  // Only where an address leaves no choice: the next server may not have what this one offers, and then the
  // message comes back (seen with Postfix in front of a store without SMTPUTF8) or is re-coded on the way.
  if (leaves_no_choice(job)) {
    wish.allow_eight_bit = session.capabilities().eight_bit_mime;
    wish.allow_utf8_header = session.capabilities().smtputf8;
  }
  auto message = compose(job, std::move(wish));
  if (!message) co_return fail(std::move(message.error()));
  MessageSource source(*message->text);
  const Envelope envelope{.sender = settings_.address,
                          .recipients = journal.waiting(),
                          .eight_bit = message->eight_bit,
                          .smtputf8 = message->utf8_header,
                          .envelope_id = job.order.operation_id};
  const BeforeCommit before_commit = [&]() -> Result<void> {
    journal.step = Step::open;
    journal.begun = environment_.clock.now();
    journal.trying = envelope.recipients;
    for (const std::string& address : journal.trying) journal.find(address)->heard = false;
    return journal.save();
  };
  ++requests_;
  auto delivery = co_await session.send(envelope, source, before_commit);
  if (!delivery) co_return fail(std::move(delivery.error()));
  if (delivery->state == Delivery::State::unknown) {
    if (auto noted = note_answers(job, *delivery); !noted) co_return noted;
    Error error = std::move(delivery->error);
    error.message = "no answer came to the message's last octets: " + error.message;
    error.domain = ErrorDomain::mail;
    error.code = "uncertain";
    error.retry = RetryClass::after;
    error.retry_after = first_look;
    co_return fail(std::move(error));
  }
  co_return note_results(job, *delivery);
}

/// What was said of single recipients before the last answer was lost. Whom the server refused or put off has
/// not got the message, whatever the Sent folder says later.
Result<void> Sender::note_answers(Job& job, const Delivery& delivery) {
  SendJournal& journal = job.journal;
  bool changed = false;
  for (const RecipientResult& result : delivery.recipients) {
    RecipientNote* note = journal.find(result.address);
    if (note == nullptr || result.error.code == code_not_asked) continue;
    changed = true;
    if (result.state == RecipientResult::State::accepted) {
      note->heard = true;
      continue;
    }
    note->said = result.error.message + " (" + result.error.code + ")";
    if (result.state == RecipientResult::State::permanent) note->state = Note::refused;
    std::erase(journal.trying, result.address);
  }
  return changed ? journal.save() : Result<void>{};
}

Result<void> Sender::note_results(Job& job, const Delivery& delivery) {
  SendJournal& journal = job.journal;
  const bool was_open = journal.step == Step::open;
  journal.step = Step::ready;
  journal.trying.clear();
  const bool accepted = delivery.state == Delivery::State::accepted;
  std::size_t refused = 0;
  for (const RecipientResult& result : delivery.recipients) {
    RecipientNote* note = journal.find(result.address);
    if (note == nullptr) continue;
    // What kept the whole message back says nothing about one recipient, unless it was said of them.
    const bool own = accepted || result.error.code != delivery.error.code;
    note->said =
        result.error.code.empty() ? std::string() : result.error.message + " (" + result.error.code + ")";
    if (result.state == RecipientResult::State::accepted)
      note->state = Note::accepted;
    else if (result.state == RecipientResult::State::permanent && own)
      note->state = Note::refused;
    if (result.state == RecipientResult::State::permanent) ++refused;
  }
  if (accepted) {
    job.told_message_id = told_message_id(delivery.reply);
    return {};
  }
  // It is certain that nothing went out: a crash from here on must not find an open step.
  if (was_open)
    if (auto saved = journal.save(); !saved) return saved;
  if (refused == delivery.recipients.size() && journal.any_accepted()) {
    // The others have it; the order as a whole cannot fail any more.
    for (const RecipientResult& result : delivery.recipients)
      if (RecipientNote* note = journal.find(result.address)) note->state = Note::refused;
    return {};
  }
  return fail(delivery.error);
}

/// What an earlier message left; nullptr: it is over.
Async<std::unique_ptr<Session>> Sender::rested(std::unique_ptr<Session> session) {
  const std::uint64_t most =
      std::min(settings_.messages_per_session,
               session->capabilities().most_messages.value_or(settings_.messages_per_session));
  if (!session->usable()) co_return nullptr;
  const auto idle = session->idle();
  if (session->messages() >= most || idle > settings_.keep_idle) {
    static_cast<void>(co_await session->quit());
    co_return nullptr;
  }
  if (idle <= settings_.trust_idle) co_return session;
  auto reset = co_await session->reset();
  if (!reset || !session->usable()) co_return nullptr;
  co_return session;
}

Async<Sender::Lease> Sender::lease_session() {
  for (;;) {
    // A wrong password is tried once, not once for each message that is under way.
    const std::uint64_t refusals_before = refusals_;
    while (in_use_ > 0 && (one_at_a_time_ || !was_let_in_ || !has_place_for_another())) {
      auto waited = co_await session_free_.wait();
      if (!waited) co_return fail(std::move(waited.error()));
      if (refusals_ != refusals_before) co_return fail(refusal_);
    }
    Lease lease(*this);
    while (!idle_.empty()) {
      std::unique_ptr<Session> session = std::move(idle_.back());
      idle_.pop_back();
      auto good = co_await rested(std::move(session));
      if (!good) co_return fail(std::move(good.error()));
      if (*good == nullptr) continue;
      lease.session = std::move(*good);
      co_return lease;
    }
    if (settings_.places.take && places_.size() < in_use_) {
      auto place = co_await settings_.places.take();
      if (!place) co_return fail(std::move(place.error()));
      places_.push_back(std::move(*place));
    }
    auto opened = co_await Session::open(environment_, settings_.session, choose_);
    if (opened) {
      was_let_in_ = true;
      session_free_.notify_all();
      lease.session = std::move(*opened);
      co_return lease;
    }
    if (opened.error().retry == RetryClass::reauthenticate) {
      was_let_in_ = false;
      ++refusals_;
      refusal_ = opened.error();
      session_free_.notify_all();
      co_return fail(std::move(opened.error()));
    }
    // Some servers let a user in once only, and say so in many ways. What is refused alone is refused.
    if (in_use_ == 1 && idle_.empty()) co_return fail(std::move(opened.error()));
    one_at_a_time_ = true;
  }
}

/// Whoever has a session never waits for another one: two senders that did would wait for each other.
bool Sender::has_place_for_another() {
  if (!settings_.places.try_take || places_.size() > in_use_) return true;
  auto place = settings_.places.try_take();
  if (!place) return false;
  places_.push_back(std::move(place));
  return true;
}

bool Sender::leaves_no_choice(const Job& job) const {
  const auto& recipients = job.journal.recipients;
  return !is_ascii(settings_.address) ||
         std::any_of(recipients.begin(), recipients.end(),
                     [](const RecipientNote& note) { return !is_ascii(note.address); });
}

Result<Message> Sender::compose(const Job& job, ComposeWish wish) {
  wish.message_id = job.journal.message_id;
  wish.date = job.journal.date;
  auto message = compose_(job.order, wish, job.content);
  if (message && message->text == nullptr)
    return fail(ErrorDomain::local, "no-text", "the message was composed without a text");
  return message;
}

/// Invariant 17. The mail is out: nothing here makes the order fail for good.
Async<sync::RemoteRef> Sender::put_copy(Job& job, std::string& remark) {
  SentCopies copies = sent_folder_.copies;
  if (copies == SentCopies::automatic && server_saves_)
    copies = *server_saves_ ? SentCopies::server : SentCopies::append;
  if (copies == SentCopies::none || (!sent_folder_.find && !sent_folder_.append)) co_return sync::RemoteRef{};
  const SentMark mark = job.mark();
  const SystemTime now = environment_.clock.now();
  if (copies == SentCopies::server || !sent_folder_.append) {
    // The feed of the Sent folder finds it by its mark if it comes later.
    if (!sent_folder_.find) co_return sync::RemoteRef{};
    auto found = co_await await_sent(environment_, sent_folder_.find, mark, now, settings_.copy_pause);
    co_return found&&* found ? **found : sync::RemoteRef{};
  }
  // From here on it takes a while: a crash must not send again.
  if (auto saved = job.journal.save(); !saved) co_return fail(std::move(saved.error()));
  const bool look = copies == SentCopies::automatic || job.resumed;
  if (look && sent_folder_.find) {
    const SystemTime until = copies == SentCopies::automatic ? now + settings_.copy_window : now;
    auto found = co_await await_sent(environment_, sent_folder_.find, mark, until, settings_.copy_pause);
    if (!found) {
      // Without a look there may be two copies in the end.
      add_remark(remark, "whether a copy is in the Sent folder is not known: " + found.error().describe());
      co_return sync::RemoteRef{};
    }
    if (*found && copies == SentCopies::automatic && !job.resumed) server_saves_ = true;
    if (*found) co_return **found;
    if (copies == SentCopies::automatic) server_saves_ = false;
  }
  co_return co_await append_copy(job, remark);
}

Async<sync::RemoteRef> Sender::append_copy(Job& job, std::string& remark) {
  auto message = compose(job, {.with_bcc = true});
  if (!message) {
    add_remark(remark, "no copy is in the Sent folder: " + message.error().describe());
    co_return sync::RemoteRef{};
  }
  SentMark mark = job.mark();
  auto appended = co_await sent_folder_.append(*message->text, std::move(mark));
  if (appended) co_return std::move(*appended);
  Error error = std::move(appended.error());
  const bool again = error.retry == RetryClass::after || error.retry == RetryClass::now;
  if (again && ++job.journal.copy_tries < most_copy_tries) {
    if (auto saved = job.journal.save(); !saved) co_return fail(std::move(saved.error()));
    error.retry = RetryClass::after;
    co_return fail(std::move(error).during("putting a copy of a sent message into the Sent folder"));
  }
  add_remark(remark, "no copy is in the Sent folder: " + error.describe());
  co_return sync::RemoteRef{};
}

Async<void> Sender::close() {
  for (const std::unique_ptr<Session>& session : idle_) static_cast<void>(co_await session->quit());
  idle_.clear();
  if (in_use_ == 0) places_.clear();
  co_return Result<void>{};
}

}  // namespace syncline::smtp
