// SPDX-License-Identifier: GPL-3.0-or-later
#include "routing/pop3/driver/remote_mailbox.hpp"

#include <algorithm>
#include <utility>

#include "net/watchdog.hpp"

namespace syncline::pop3 {
namespace {

using net::Async;

/// A wait of this length is not worth giving the mailbox up for.
constexpr std::chrono::seconds short_delay{10};

std::string name_of(std::uint64_t octets, const std::string& uid) {
  return std::to_string(octets) + " " + uid;
}

}  // namespace

/// Puts what is fetched into the spool, and hashes headers on the way.
class RemoteMailbox::Receiver final : public MessageReceiver {
 public:
  Receiver(RemoteMailbox& mailbox, const std::vector<std::size_t>& places, bool header_only, bool keeps)
      : mailbox_(mailbox), places_(places), header_only_(header_only), keeps_(keeps) {}

  Result<void> begin(std::size_t) override {
    hasher_ = {};
    return keeps_ ? mailbox_.spool_.begin() : Result<void>{};
  }
  Result<void> write(std::string_view octets) override {
    hasher_.feed(octets);
    return keeps_ ? mailbox_.spool_.write(octets) : Result<void>{};
  }
  Result<void> end(std::size_t index, Result<void> outcome) override {
    Entry& entry = mailbox_.entries_[places_[first_ + index]];
    done_ = first_ + index + 1;
    if (outcome) {
      entry.header_hash = hasher_.finish();
      // A unique-id that was given to another message since.
      if (keeps_ && !entry.id.empty() && header_part(entry.id) != unread_header &&
          header_part(entry.id) != entry.header_hash)
        outcome = fail(ErrorDomain::mail, "gone", "another message bears the unique-id now");
    } else if (entry.header_hash.empty() && entry.id.empty()) {
      entry.header_hash = unread_header;
    }
    if (keeps_) mailbox_.give_id(places_[first_ + index]);
    if (!outcome) {
      if (keeps_) {
        mailbox_.spool_.drop();
        mailbox_.refused_.insert_or_assign(entry.id, std::move(outcome.error()));
      }
      return {};
    }
    return keeps_ ? mailbox_.spool_.keep(entry.id, header_only_) : Result<void>{};
  }

  /// Where to go on after a session that broke.
  std::size_t done() const noexcept { return done_; }
  void start_at(std::size_t first) noexcept { first_ = first; }

 private:
  RemoteMailbox& mailbox_;
  const std::vector<std::size_t>& places_;
  bool header_only_;
  bool keeps_;
  HeaderHasher hasher_;
  std::size_t first_ = 0;
  std::size_t done_ = 0;
};

RemoteMailbox::RemoteMailbox(net::Environment& environment, MailboxSettings settings)
    : environment_(environment), settings_(std::move(settings)), spool_(settings_.spool_folder) {}

bool RemoteMailbox::has_top() const {
  return session_ != nullptr && (!session_->capabilities().known || session_->capabilities().top);
}

std::uint64_t RemoteMailbox::commands() const noexcept {
  return earlier_commands_ + (session_ == nullptr ? 0 : session_->commands());
}

net::Async<void> RemoteMailbox::open_session() {
  if (login_delay_ && signed_in_at_) {
    const SteadyTime free = *signed_in_at_ + *login_delay_;
    const SteadyTime now = environment_.clock.steady_now();
    if (free > now + short_delay) {
      Error error{
          .domain = ErrorDomain::mail,
          .code = "login-delay",
          .message = "the server wants " + std::to_string(login_delay_->count()) + " s between two sign-ins",
          .retry = RetryClass::after,
          .retry_after = std::chrono::duration_cast<std::chrono::milliseconds>(free - now)};
      co_return fail(std::move(error));
    }
    if (free > now) {
      auto slept = co_await environment_.timers.sleep_until(free);
      if (!slept) co_return slept;
    }
  }
  auto opened = co_await Session::open(environment_, settings_.session, settings_.login);
  if (!opened) co_return fail(std::move(opened.error()));
  session_ = std::move(*opened);
  signed_in_at_ = environment_.clock.steady_now();
  login_delay_ = session_->capabilities().login_delay;
  recent_mode_ = session_->recent_mode();
  co_return Result<void>{};
}

net::Async<void> RemoteMailbox::reopen() {
  auto closed = co_await close();
  if (!closed) co_return closed;
  auto opened = co_await open_session();
  if (!opened) co_return opened;
  co_return co_await read_listing();
}

net::Async<void> RemoteMailbox::ensure_open() {
  if (is_open()) co_return Result<void>{};
  co_return co_await reopen();
}

net::Async<void> RemoteMailbox::close() {
  if (session_ != nullptr) {
    // Nothing was deleted in it: whether QUIT is answered does not matter.
    if (session_->usable()) static_cast<void>(co_await session_->quit());
    earlier_commands_ += session_->commands();
    session_.reset();
  }
  co_return Result<void>{};
}

net::Async<void> RemoteMailbox::read_listing() {
  auto sizes = co_await session_->list();
  if (!sizes) co_return fail(std::move(sizes.error()));
  auto uids = co_await session_->uidl();
  if (!uids) co_return fail(std::move(uids.error()));
  entries_.clear();
  by_id_.clear();
  entries_.reserve(sizes->size());
  for (const ListedSize& size : *sizes) entries_.push_back({.number = size.number, .octets = size.octets});
  const auto by_number = [](const Entry& a, const Entry& b) { return a.number < b.number; };
  if (!std::is_sorted(entries_.begin(), entries_.end(), by_number))
    std::sort(entries_.begin(), entries_.end(), by_number);
  const auto same_number = [](const Entry& a, const Entry& b) { return a.number == b.number; };
  entries_.erase(std::unique(entries_.begin(), entries_.end(), same_number), entries_.end());
  if (*uids) {
    for (ListedUid& one : **uids) {
      const Entry wanted{.number = one.number};
      const auto found = std::lower_bound(entries_.begin(), entries_.end(), wanted, by_number);
      if (found != entries_.end() && found->number == one.number) found->uid = std::move(one.uid);
    }
  }
  forget_doubled_uids();
  for (std::size_t i = 0; i < entries_.size() && !names_.empty(); ++i) {
    if (entries_[i].uid.empty()) continue;
    const auto name = names_.find(name_of(entries_[i].octets, entries_[i].uid));
    if (name == names_.end()) continue;
    entries_[i].id = name->second;
    by_id_.insert_or_assign(name->second, i);
  }
  co_return Result<void>{};
}

/// A unique-id that two messages have is none.
void RemoteMailbox::forget_doubled_uids() {
  std::unordered_map<std::string_view, std::size_t> count;
  count.reserve(entries_.size());
  for (const Entry& entry : entries_)
    if (!entry.uid.empty()) ++count[entry.uid];
  if (std::all_of(count.begin(), count.end(), [](const auto& one) { return one.second == 1; })) return;
  std::vector<std::size_t> doubled;
  for (std::size_t i = 0; i < entries_.size(); ++i)
    if (!entries_[i].uid.empty() && count[entries_[i].uid] > 1) doubled.push_back(i);
  for (const std::size_t place : doubled) entries_[place].uid.clear();
}

void RemoteMailbox::give_id(std::size_t place) {
  Entry& entry = entries_[place];
  if (entry.id.empty()) {
    const std::string base = entry.header_hash + listing_hash(entry.uid, entry.octets);
    entry.id = base;
    // Messages that nothing tells apart (the same octets twice, no unique-ids) are numbered.
    for (unsigned copy = 2; by_id_.contains(entry.id) && by_id_[entry.id] != place; ++copy)
      entry.id = base + "." + std::to_string(copy);
  }
  by_id_.insert_or_assign(entry.id, place);
  if (!entry.uid.empty()) names_.insert_or_assign(name_of(entry.octets, entry.uid), entry.id);
}

net::Async<void> RemoteMailbox::ask_headers(std::vector<std::size_t> places) {
  std::erase_if(places, [this](std::size_t place) { return !entries_[place].header_hash.empty(); });
  if (places.empty()) co_return Result<void>{};
  std::vector<Session::Wanted> wanted;
  for (const std::size_t place : places) wanted.push_back({entries_[place].number, entries_[place].octets});
  Receiver receiver(*this, places, true, false);
  const bool header_only = has_top();
  const std::uint64_t most = settings_.most_message_octets;
  auto fetched = co_await session_->fetch(wanted, header_only, most, receiver);
  // Of one that is too long all but the header is of no interest, but the session is gone.
  if (!fetched && fetched.error().code == "message-too-long") fetched.error().retry = RetryClass::after;
  co_return fetched;
}

net::Async<bool> RemoteMailbox::sample_agrees() {
  std::vector<std::size_t> sample;
  for (std::size_t i = 0; i < entries_.size() && sample.empty(); ++i)
    if (!entries_[i].id.empty() && header_part(entries_[i].id) != unread_header) sample.push_back(i);
  for (std::size_t i = entries_.size(); i > 0 && sample.size() == 1; --i)
    if (!entries_[i - 1].id.empty() && header_part(entries_[i - 1].id) != unread_header) {
      if (i - 1 == sample.front()) break;
      sample.push_back(i - 1);
    }
  std::vector<std::size_t> places = sample;
  auto asked = co_await ask_headers(std::move(places));
  if (!asked) co_return fail(std::move(asked.error()));
  co_return std::all_of(sample.begin(), sample.end(), [this](std::size_t place) {
    const Entry& entry = entries_[place];
    return entry.header_hash == unread_header || entry.header_hash == header_part(entry.id);
  });
}

/// The usual case, without a look-up for each message.
bool RemoteMailbox::is_as_known(const KnownMessages& known) {
  const auto& all = known.all();
  const bool same =
      std::equal(entries_.begin(), entries_.end(), all.begin(), all.end(),
                 [](const Entry& entry, const KnownMessage& message) {
                   return !entry.uid.empty() && entry.octets == message.octets && entry.uid == message.uid;
                 });
  if (!same) return false;
  by_id_.clear();
  for (std::size_t i = 0; i < entries_.size(); ++i) entries_[i].id = all[i].id;
  return true;
}

net::Async<std::vector<KnownMessage>> RemoteMailbox::recognise(const KnownMessages& known) {
  unchanged_ = is_as_known(known);
  if (unchanged_) co_return std::vector<KnownMessage>();
  std::unordered_map<std::string, const KnownMessage*> by_name;
  by_name.reserve(known.all().size());
  for (const KnownMessage& message : known.all())
    if (!message.uid.empty()) by_name.emplace(name_of(message.octets, message.uid), &message);
  std::unordered_set<std::string_view> present;
  present.reserve(known.all().size());
  by_id_.clear();
  std::size_t fresh = 0;
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    Entry& entry = entries_[i];
    entry.id.clear();
    const auto found = entry.uid.empty() ? by_name.end() : by_name.find(name_of(entry.octets, entry.uid));
    if (found == by_name.end()) {
      ++fresh;
      continue;
    }
    entry.id = found->second->id;
    present.insert(found->second->id);
  }
  const bool changed = fresh > 0 || present.size() != known.all().size();
  if (changed && !present.empty()) {
    auto agrees = co_await sample_agrees();
    if (!agrees) co_return fail(std::move(agrees.error()));
    if (!*agrees) {
      // Unique-ids were given to other messages: they mean nothing today.
      for (Entry& entry : entries_) entry.id.clear();
      present.clear();
    }
  }
  // What vanished may be here under another unique-id.
  std::unordered_map<std::uint64_t, std::vector<const KnownMessage*>> vanished_by_size;
  for (const KnownMessage& message : known.all())
    if (!present.contains(message.id)) vanished_by_size[message.octets].push_back(&message);
  if (!vanished_by_size.empty()) {
    std::vector<std::size_t> doubtful;
    for (std::size_t i = 0; i < entries_.size(); ++i)
      if (entries_[i].id.empty() && vanished_by_size.contains(entries_[i].octets)) doubtful.push_back(i);
    std::vector<std::size_t> places = doubtful;
    auto asked = co_await ask_headers(std::move(places));
    if (!asked) co_return fail(std::move(asked.error()));
    for (const std::size_t place : doubtful) {
      Entry& entry = entries_[place];
      for (const KnownMessage*& message : vanished_by_size[entry.octets]) {
        if (message == nullptr || header_part(message->id) != entry.header_hash) continue;
        entry.id = message->id;
        present.insert(message->id);
        message = nullptr;
        break;
      }
    }
  }
  names_.clear();
  for (std::size_t i = 0; i < entries_.size(); ++i)
    if (!entries_[i].id.empty()) give_id(i);
  std::vector<KnownMessage> vanished;
  for (const KnownMessage& message : known.all())
    if (!present.contains(message.id)) vanished.push_back(message);
  co_return vanished;
}

net::Async<void> RemoteMailbox::identify_all() {
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < entries_.size(); ++i)
    if (entries_[i].id.empty()) places.push_back(i);
  std::vector<std::size_t> asked_for = places;
  auto asked = co_await ask_headers(std::move(asked_for));
  if (!asked) co_return asked;
  for (const std::size_t place : places) give_id(place);
  co_return Result<void>{};
}

net::Async<void> RemoteMailbox::fetch(std::vector<std::size_t> places, bool header_only) {
  header_only = header_only && has_top();
  std::erase_if(places, [&](std::size_t place) {
    const Entry& entry = entries_[place];
    return !entry.id.empty() && spool_.has(entry.id, header_only);
  });
  Receiver receiver(*this, places, header_only, true);
  std::size_t done = 0;
  while (done < places.size()) {
    std::vector<Session::Wanted> wanted;
    for (std::size_t i = done; i < places.size(); ++i)
      wanted.push_back({entries_[places[i]].number, entries_[places[i]].octets});
    receiver.start_at(done);
    const std::uint64_t most = settings_.most_message_octets;
    auto fetched = co_await session_->fetch(wanted, header_only, most, receiver);
    done = receiver.done();
    if (fetched) break;
    if (fetched.error().code != "message-too-long") co_return fetched;
    // The one is noted; the others need a new session, whose numbers may be others.
    const std::vector<Entry> before = entries_;
    auto reopened = co_await reopen();
    if (!reopened) co_return reopened;
    const bool same =
        before.size() == entries_.size() &&
        std::equal(before.begin(), before.end(), entries_.begin(), [](const Entry& a, const Entry& b) {
          return a.number == b.number && a.octets == b.octets && a.uid == b.uid;
        });
    if (!same)
      co_return fail(ErrorDomain::mail, "mailbox-changed",
                     "the mailbox changed while its session had to be opened again", RetryClass::after);
    entries_ = before;
    for (std::size_t i = 0; i < entries_.size(); ++i)
      if (!entries_[i].id.empty()) by_id_.insert_or_assign(entries_[i].id, i);
  }
  co_return Result<void>{};
}

net::Async<std::optional<std::size_t>> RemoteMailbox::find(std::string id) {
  auto open = co_await ensure_open();
  if (!open) co_return fail(std::move(open.error()));
  if (const auto known = by_id_.find(id); known != by_id_.end()) co_return known->second;
  for (std::size_t i = 0; i < entries_.size(); ++i)
    if (entries_[i].id == id) co_return i;
  // After a restart nobody has been recognised yet: the listing's part of the id finds the candidate.
  const std::string_view listed = std::string_view(id).substr(std::min(id.size(), header_hash_characters));
  for (std::size_t i = 0; i < entries_.size(); ++i)
    if (entries_[i].id.empty() && listed == listing_hash(entries_[i].uid, entries_[i].octets)) {
      auto same = co_await is_same(i, id);
      if (!same) co_return fail(std::move(same.error()));
      if (!*same) continue;
      entries_[i].id = id;
      give_id(i);
      co_return i;
    }
  // Its unique-id may have changed since it got its id.
  auto identified = co_await identify_all();
  if (!identified) co_return fail(std::move(identified.error()));
  if (header_part(id) != unread_header)
    for (std::size_t i = 0; i < entries_.size(); ++i)
      if (entries_[i].header_hash == header_part(id)) co_return i;
  co_return std::nullopt;
}

net::Async<bool> RemoteMailbox::is_same(std::size_t place, std::string id) {
  if (header_part(id) == unread_header) co_return true;
  std::vector<std::size_t> one{place};
  auto asked = co_await ask_headers(std::move(one));
  if (!asked) co_return fail(std::move(asked.error()));
  co_return entries_[place].header_hash == header_part(id);
}

net::Async<void> RemoteMailbox::remove(std::size_t place) {
  const std::vector<std::uint32_t> numbers{entries_[place].number};
  auto results = co_await session_->remove(numbers);
  if (!results) co_return fail(std::move(results.error()));
  if (!results->front()) co_return results->front();
  // RFC 1939 section 6: only QUIT deletes.
  auto quit = co_await session_->quit();
  earlier_commands_ += session_->commands();
  session_.reset();
  if (!quit) {
    Error error = std::move(quit.error());
    error.code = "uncertain";
    error.domain = ErrorDomain::mail;
    error.retry = RetryClass::after;
    co_return fail(std::move(error).during("committing a deletion"));
  }
  co_return Result<void>{};
}

}  // namespace syncline::pop3
