// SPDX-License-Identifier: GPL-3.0-or-later
#include "routing/imap/driver/imap_driver.hpp"

#include <algorithm>
#include <cstring>
#include <gsl/util>
#include <limits>
#include <utility>

#include "base/log.hpp"
#include "base/text.hpp"
#include "net/event.hpp"
#include "routing/imap/driver/attachments.hpp"
#include "routing/imap/driver/folders.hpp"
#include "routing/imap/driver/read_messages.hpp"
#include "routing/imap/internal_date.hpp"
#include "routing/message/message_fields.hpp"
#include "routing/message/operation_mark.hpp"

namespace syncline::imap {
namespace {

using sync::FeedEntry;
using RemoteItems = std::vector<Result<sync::RemoteItem>>;

constexpr Uid highest_uid = std::numeric_limits<Uid>::max();
constexpr std::uint64_t window_messages = 5'000;
/// Messages of one size within three days.
constexpr std::uint64_t most_candidates = 2'000;
constexpr std::uint64_t most_messages = 20'000'000;
/// Messages that went between the count and the search.
constexpr std::uint64_t search_slack = 100'000;
/// Sizes are asked for ahead of the page that is read: a round trip less for each.
constexpr std::uint64_t sizes_ahead = 4'000;
constexpr std::size_t most_sizes = 50'000;
/// Progress of a remove: a COPY to the deleted items was begun.
constexpr std::string_view copying = "copying";

unexpected<Error> gone() {
  return fail(ErrorDomain::mail, "gone", "the message is not in the mailbox any more");
}

unexpected<Error> not_supported(std::string what) {
  return fail(ErrorDomain::mail, "not-supported", "an IMAP mailbox cannot " + std::move(what));
}

/// Collects replies of FETCH that have a UID.
class Fetched final : public ReplyHandler {
 public:
  Result<void> on_literal_start(const StreamedLiteral&) override {
    literal_.clear();
    return {};
  }
  Result<void> on_literal_data(std::string_view data) override {
    // Only header fields are asked for through this.
    if (literal_.size() < 65536) literal_ += data.substr(0, 65536 - literal_.size());
    return {};
  }
  Result<void> on_reply(Reply& reply) override {
    auto* fetch = std::get_if<FetchReply>(&reply);
    if (fetch == nullptr || fetch->uid == 0) return {};
    for (FetchedSection& section : fetch->sections)
      if (section.streamed) section.value = literal_;
    replies.push_back(std::move(*fetch));
    return {};
  }
  std::vector<FetchReply> replies;

 private:
  std::string literal_;
};

Result<void> first_error(const std::vector<Result<void>>& outcomes) {
  for (const Result<void>& outcome : outcomes)
    if (!outcome) return fail(outcome.error());
  return {};
}

/// What went into a sink cannot be taken back: the next try is the caller's.
constexpr std::string_view cut_off = "cut-off";

Error of_output(Error error, const LimitedOutput& output) {
  if (output.octets() > 0 && error.retry != RetryClass::never) error.code = std::string(cut_off);
  return error;
}

/// The connection was there and is not any more: it is worth a new one.
bool is_lost(const Error& error) {
  return error.code != "cancelled" && error.code != cut_off &&
         (error.retry == RetryClass::after || error.retry == RetryClass::now);
}

std::int64_t seconds_of(SystemTime time) {
  return std::chrono::duration_cast<std::chrono::seconds>(time.time_since_epoch()).count();
}

std::string message_id_in(const std::string& header) {
  auto message = mime::read_message(header);
  return message ? message->message_id.value_or("") : std::string();
}

}  // namespace

struct ImapDriver::Line {
  explicit Line(net::asio::any_io_executor executor) : free(std::move(executor)) {}
  bool in_use = false;
  net::Event free;
};

ImapDriver::ImapDriver(net::Environment& environment, DriverSettings settings, sync::SendMail send)
    : environment_(environment),
      settings_(std::move(settings)),
      send_(std::move(send)),
      line_(std::make_shared<Line>(environment.executor)),
      cache_(settings_.cache_octets, settings_.cached_message_octets) {}

void ImapDriver::warn(std::string text) {
  if (std::find(warnings_.begin(), warnings_.end(), text) != warnings_.end()) return;
  log::warning("imap", text);
  warnings_.push_back(std::move(text));
}

std::vector<std::string> ImapDriver::take_warnings() {
  return std::exchange(warnings_, {});
}

std::uint64_t ImapDriver::requests() const {
  return earlier_requests_ + (client_ ? client_->session().commands() : 0);
}

Async<void> ImapDriver::ensure_connected() {
  if (client_ && client_->session().open()) co_return Result<void>{};
  if (client_) earlier_requests_ += client_->session().commands();
  client_.reset();
  selected_.reset();
  walked_folder_.clear();
  mail::Endpoint endpoint = settings_.endpoint;
  ConnectSettings how = settings_.connect;
  auto client = co_await connect(environment_, std::move(endpoint), std::move(how));
  if (!client) co_return fail(std::move(client.error()));
  client_ = std::move(*client);
  co_return Result<void>{};
}

template <class T, class Operation>
Async<T> ImapDriver::on_connection(Operation operation) {
  const std::shared_ptr<Line> line = line_;
  while (line->in_use)
    if (auto waited = co_await line->free.wait(); !waited) co_return fail(std::move(waited.error()));
  line->in_use = true;
  const auto leave = gsl::finally([&line] {
    line->in_use = false;
    line->free.notify_one();
  });
  for (bool again = false;; again = true) {
    const bool is_old = client_ && client_->session().open();
    auto ready = co_await ensure_connected();
    if (!ready) co_return fail(std::move(ready.error()));
    Result<T> result = co_await operation();
    if (result || client_->session().open() || !is_old || again || !is_lost(result.error())) co_return result;
  }
}

Async<void> ImapDriver::open_folder(const std::string& name, bool refresh, std::optional<Resume> resume) {
  if (!refresh && selected_ && client_->selected() != nullptr && selected_->name == name)
    co_return Result<void>{};
  selected_.reset();
  std::string wanted = name;
  auto selected = co_await client_->select(std::move(wanted), std::move(resume));
  if (!selected) co_return fail(std::move(selected.error()).during("opening the folder " + name));
  selected_ = std::move(*selected);
  co_return Result<void>{};
}

Async<std::vector<Folder>> ImapDriver::listed() {
  if (!folders_) {
    auto folders = co_await client_->list();
    if (!folders) co_return fail(std::move(folders.error()));
    folders_ = std::move(*folders);
  }
  co_return *folders_;
}

Async<std::vector<sync::RemoteFolder>> ImapDriver::folders() {
  folders_.reset();
  const auto list = [this] { return listed(); };
  auto folders = co_await on_connection<std::vector<Folder>>(list);
  if (!folders) co_return fail(std::move(folders.error()));
  co_return mail_folders(*folders);
}

Async<std::string> ImapDriver::folder_of(sync::FolderRole role) {
  auto folders = co_await listed();
  if (!folders) co_return fail(std::move(folders.error()));
  for (const sync::RemoteFolder& folder : mail_folders(*folders))
    if (folder.role == role) co_return folder.id;
  co_return std::string();
}

// --- the feed ---

Async<sync::FeedPage> ImapDriver::pull(const sync::RemoteFolder& folder, std::string cursor,
                                       std::size_t most) {
  const auto once = [&] { return pull_once(folder, cursor, most); };
  co_return co_await on_connection<sync::FeedPage>(once);
}

/// A range costs a server nothing to say, and us a number for each message that is not there.
Result<void> ImapDriver::plausible(const UidSet& found) const {
  const std::uint64_t exists = client_->selected() != nullptr ? client_->selected()->exists : 0;
  if (found.size() <= std::min(most_messages, exists + search_slack)) return {};
  return fail(ErrorDomain::mail, "bad-response",
              "the IMAP server finds " + std::to_string(found.size()) +
                  " messages in a folder that it says has " + std::to_string(exists));
}

/// UIDs from `from` to `to` that the folder holds; of all (1 to the highest) even those that searches hide.
Async<UidSet> ImapDriver::present(Uid from, Uid to) {
  const bool all = from == 1 && to == highest_uid;
  std::string criteria =
      all ? "ALL" : "UID " + std::to_string(from) + ":" + (to == highest_uid ? "*" : std::to_string(to));
  auto found = co_await client_->search(std::move(criteria));
  if (!found) co_return fail(std::move(found.error()));
  // "n:*" gives the last message even if it is below n.
  UidSet held = found->and_also(UidSet::range(from, to));
  const std::uint64_t exists = client_->selected() != nullptr ? client_->selected()->exists : 0;
  if (auto good = plausible(held); !good) co_return fail(std::move(good.error()));
  if (!all) co_return held;
  if (held.size() >= exists) co_return held;
  // Some providers' searches end at a number of their own.
  for (std::uint64_t first = 1; first <= std::min(exists, most_messages); first += window_messages) {
    const std::uint64_t last = std::min(exists, first + window_messages - 1);
    auto window = co_await client_->uids_at(first, last);
    if (!window) {
      if (!client_->session().open()) co_return fail(std::move(window.error()));
      break;
    }
    held.add(*window);
  }
  if (held.size() < exists)
    warn("the provider caps folder " + decode_mailbox_name(selected_->name) + ": it counts " +
         std::to_string(exists) + " messages and shows " + std::to_string(held.size()));
  co_return held;
}

Async<void> ImapDriver::vanish(FeedCursor& cursor, UidSet vanished, const std::string& folder,
                               sync::FeedPage& page) {
  UidSet lost = cursor.known.and_also(vanished);
  if (lost.empty()) co_return Result<void>{};
  if (lost.size() > settings_.trusted_vanished &&
      lost.size() * 100 > cursor.known.size() * settings_.trusted_percent) {
    auto held = co_await present(1, highest_uid);
    if (!held) co_return fail(std::move(held.error()));
    if (const UidSet still = lost.and_also(*held); !still.empty()) {
      warn("the server says of " + std::to_string(still.size()) + " messages in folder " +
           decode_mailbox_name(folder) + " that they vanished, and still shows them");
      lost = lost.without(still);
    }
  }
  for (const Uid uid : lost.uids(std::numeric_limits<std::size_t>::max()))
    page.entries.push_back(
        {.what = FeedEntry::What::deleted, .item = {.id = ItemId{uid, cursor.uid_validity, folder}.text()}});
  cursor.known = cursor.known.without(lost);
  cursor.seen = cursor.seen.without(lost);
  co_return Result<void>{};
}

Async<void> ImapDriver::apply_flags(FeedCursor& cursor, const std::vector<FlagState>& states, bool all_told,
                                    const std::string& folder, sync::FeedPage& page) {
  std::vector<Uid> seen;
  for (const FlagState& state : states) {
    if (!cursor.known.contains(state.uid)) continue;
    const bool is_read = version_of(state.flags) == "r";
    if (is_read && all_told) seen.push_back(state.uid);
    if (all_told && cursor.seen.contains(state.uid) == is_read) continue;
    FeedEntry entry{.what = FeedEntry::What::read_flag,
                    .item = {.id = ItemId{state.uid, cursor.uid_validity, folder}.text()},
                    .is_read = is_read};
    // Labels change mod-sequences as well, and only reading tells.
    if (client_->capabilities().gmail()) entry.what = FeedEntry::What::changed;
    page.entries.push_back(std::move(entry));
  }
  if (all_told) cursor.seen = UidSet::of(std::move(seen));
  co_return Result<void>{};
}

/// What happened since the last round, from a SELECT that was just made. New messages are left to the walk.
Async<void> ImapDriver::begin_round(FeedCursor& cursor, const std::string& folder, sync::FeedPage& page) {
  const bool is_first = cursor.uid_validity == 0;
  const Selected selected = *selected_;
  Uid mark = selected.uid_next > 0 ? selected.uid_next - 1 : 0;
  if (selected.uid_next == 0) {
    auto all = co_await present(1, highest_uid);
    if (!all) co_return fail(std::move(all.error()));
    mark = all->highest();
  }
  mark = std::max(mark, cursor.mark);
  cursor.next_modseq = selected.highest_modseq;
  marks_[folder] = mark_of_open_folder();
  walked_folder_.clear();
  if (is_first) {
    cursor.uid_validity = selected.uid_validity;
    cursor.mark = cursor.down = mark;
    auto all = co_await present(1, highest_uid);
    if (!all) co_return fail(std::move(all.error()));
    const std::uint64_t exists = client_->selected() != nullptr ? client_->selected()->exists : all->size();
    cursor.hidden = exists > all->size() ? exists - all->size() : 0;
    walked_ = std::move(*all);
    walked_folder_ = folder;
    co_return Result<void>{};
  }

  const bool has_modseq = cursor.modseq != 0 && selected.highest_modseq >= cursor.modseq;
  if (cursor.mark > 0 && !cursor.known.empty()) {
    if (selected.resumed && has_modseq) {
      auto went = co_await vanish(cursor, selected.vanished, folder, page);
      if (!went) co_return went;
      auto flagged = co_await apply_flags(cursor, selected.changed, false, folder, page);
      if (!flagged) co_return flagged;
    } else if (!has_modseq || selected.highest_modseq > cursor.modseq) {
      std::vector<FetchBatch> batches = {{.uids = UidSet::range(1, cursor.mark)}};
      const std::string items = "(UID FLAGS)";
      const std::string modifier = has_modseq ? "(CHANGEDSINCE " + std::to_string(cursor.modseq) + ")" : "";
      Fetched fetched;
      auto outcomes = co_await client_->fetch(std::move(batches), items, fetched, modifier);
      if (!outcomes) co_return fail(std::move(outcomes.error()));
      if (auto good = first_error(*outcomes); !good) co_return good;
      std::vector<FlagState> states;
      for (FetchReply& reply : fetched.replies)
        if (reply.flags) states.push_back({reply.uid, std::move(*reply.flags), reply.modseq.value_or(0)});
      auto flagged = co_await apply_flags(cursor, states, !has_modseq, folder, page);
      if (!flagged) co_return flagged;
    }
  }

  cursor.floor = cursor.mark;
  cursor.down = cursor.mark = mark;
  UidSet fresh;
  if (cursor.walking()) {
    auto found = co_await present(cursor.floor + 1, cursor.down);
    if (!found) co_return fail(std::move(found.error()));
    fresh = std::move(*found);
  }
  // CONDSTORE alone tells of no expunge, and some that promise QRESYNC do not keep to it: the count does not
  // lie.
  const std::uint64_t exists = client_->selected() != nullptr ? client_->selected()->exists : selected.exists;
  if (cursor.known.size() + fresh.size() + cursor.hidden != exists) {
    auto all = co_await present(1, highest_uid);
    if (!all) co_return fail(std::move(all.error()));
    const UidSet before = all->and_also(UidSet::range(1, std::max<Uid>(1, cursor.floor)));
    const UidSet lost = cursor.known.without(*all);
    for (const Uid uid : lost.uids(std::numeric_limits<std::size_t>::max()))
      page.entries.push_back({.what = FeedEntry::What::deleted,
                              .item = {.id = ItemId{uid, cursor.uid_validity, folder}.text()}});
    cursor.known = cursor.known.without(lost);
    cursor.seen = cursor.seen.without(lost);
    const UidSet missed = before.without(cursor.known);
    for (const Uid uid : missed.uids(std::numeric_limits<std::size_t>::max()))
      page.entries.push_back({.what = FeedEntry::What::changed,
                              .item = {.id = ItemId{uid, cursor.uid_validity, folder}.text()}});
    cursor.known.add(missed);
    fresh = all->without(UidSet::range(1, std::max<Uid>(1, cursor.floor)));
    const std::uint64_t now = client_->selected() != nullptr ? client_->selected()->exists : exists;
    cursor.hidden = now > all->size() ? now - all->size() : 0;
  }
  walked_ = std::move(fresh);
  walked_folder_ = folder;
  co_return Result<void>{};
}

Async<sync::FeedPage> ImapDriver::pull_once(const sync::RemoteFolder& folder, const std::string& text,
                                            std::size_t most) {
  FeedCursor cursor;
  if (!text.empty()) {
    auto parsed = FeedCursor::parse(text);
    if (!parsed)
      co_return fail(ErrorDomain::mail, "bad-cursor", "the state of the folder cannot be read",
                     RetryClass::resync);
    cursor = std::move(*parsed);
  }
  sync::FeedPage page;
  const bool goes_on = cursor.walking();
  std::optional<Resume> resume;
  if (!goes_on && cursor.modseq != 0)
    resume = Resume{.uid_validity = cursor.uid_validity, .modseq = cursor.modseq, .known = cursor.known};
  const std::string name = folder.id;
  auto opened = co_await open_folder(name, !goes_on, std::move(resume));
  if (!opened) co_return fail(std::move(opened.error()));
  if (cursor.uid_validity != 0 && cursor.uid_validity != selected_->uid_validity)
    co_return fail(ErrorDomain::mail, "uidvalidity-changed",
                   "the server has numbered the messages of folder " + decode_mailbox_name(name) + " anew",
                   RetryClass::resync);
  if (!goes_on) {
    auto begun = co_await begin_round(cursor, name, page);
    if (!begun) co_return fail(std::move(begun.error()));
  } else if (walked_folder_ != name) {
    auto held = co_await present(cursor.floor + 1, cursor.down);
    if (!held) co_return fail(std::move(held.error()));
    walked_ = std::move(*held);
    walked_folder_ = name;
  }

  if (cursor.walking()) {
    const UidSet left = walked_.and_also(UidSet::range(cursor.floor + 1, cursor.down));
    const UidSet now = left.top(std::max<std::size_t>(1, most - std::min(most - 1, page.entries.size())));
    const std::vector<Uid> uids = now.uids(std::numeric_limits<std::size_t>::max());
    page.entries.reserve(page.entries.size() + uids.size());
    for (auto uid = uids.rbegin(); uid != uids.rend(); ++uid)
      page.entries.push_back(
          {.what = FeedEntry::What::changed, .item = {.id = ItemId{*uid, cursor.uid_validity, name}.text()}});
    cursor.known.add(now);
    cursor.down = now.size() == left.size() ? cursor.floor : uids.front() - 1;
  }
  page.last = !cursor.walking();
  if (page.last) {
    // All that SELECT told of is given out (invariant 16).
    cursor.modseq = cursor.next_modseq;
    cursor.floor = cursor.down = 0;
    if (cursor.modseq != 0) cursor.seen = {};
    walked_folder_.clear();
    walked_ = {};
  }
  page.cursor = cursor.text();
  co_return page;
}

Async<std::vector<std::string>> ImapDriver::received_since(const sync::RemoteFolder& folder,
                                                           SystemTime from) {
  const auto once = [&]() -> Async<std::vector<std::string>> {
    const std::string name = folder.id;
    auto opened = co_await open_folder(name);
    if (!opened) co_return fail(std::move(opened.error()));
    // SINCE knows days, in the server's zone: a day more, and then the time itself.
    std::string criteria = "SINCE " + format_search_date(from - std::chrono::hours(24));
    auto found = co_await client_->search(std::move(criteria));
    if (!found) co_return fail(std::move(found.error()));
    if (auto good = plausible(*found); !good) co_return fail(std::move(good.error()));
    std::vector<FetchBatch> batches = Client::batches_of(*found, 10'000, 100);
    const std::string items = "(UID INTERNALDATE)";
    Fetched fetched;
    auto outcomes = co_await client_->fetch(std::move(batches), items, fetched);
    if (!outcomes) co_return fail(std::move(outcomes.error()));
    if (auto good = first_error(*outcomes); !good) co_return fail(std::move(good.error()));
    std::vector<std::pair<std::int64_t, Uid>> received;
    for (const FetchReply& reply : fetched.replies) {
      if (!found->contains(reply.uid)) continue;
      // Without a date it is rather shown than missed.
      if (!reply.internal_date || *reply.internal_date >= from)
        received.emplace_back(reply.internal_date ? seconds_of(*reply.internal_date) : 0, reply.uid);
    }
    std::sort(received.rbegin(), received.rend());
    std::vector<std::string> ids;
    ids.reserve(received.size());
    for (const auto& [_, uid] : received) ids.push_back(ItemId{uid, selected_->uid_validity, name}.text());
    co_return ids;
  };
  co_return co_await on_connection<std::vector<std::string>>(once);
}

Async<std::vector<sync::RemoteRef>> ImapDriver::list(const sync::RemoteFolder& folder) {
  const auto once = [&]() -> Async<std::vector<sync::RemoteRef>> {
    const std::string name = folder.id;
    auto opened = co_await open_folder(name, true);
    if (!opened) co_return fail(std::move(opened.error()));
    std::vector<sync::RemoteRef> refs;
    if (selected_->exists == 0) co_return refs;
    std::vector<FetchBatch> batches = {{.uids = UidSet::range(1, highest_uid)}};
    const std::string items = "(UID FLAGS)";
    Fetched fetched;
    auto outcomes = co_await client_->fetch(std::move(batches), items, fetched);
    if (!outcomes) co_return fail(std::move(outcomes.error()));
    if (auto good = first_error(*outcomes); !good) co_return fail(std::move(good.error()));
    UidSet told;
    for (const FetchReply& reply : fetched.replies) {
      if (told.contains(reply.uid)) continue;
      told.add(reply.uid);
      refs.push_back({.id = ItemId{reply.uid, selected_->uid_validity, name}.text(),
                      .version = version_of(reply.flags.value_or(std::vector<std::string>()))});
    }
    co_return refs;
  };
  co_return co_await on_connection<std::vector<sync::RemoteRef>>(once);
}

// --- messages ---

Async<std::map<Uid, std::uint64_t>> ImapDriver::sizes_of(const UidSet& uids) {
  const std::string folder = selected_->name + "\n" + std::to_string(selected_->uid_validity);
  if (sized_folder_ != folder || sizes_.size() > most_sizes) sizes_.clear();
  sized_folder_ = folder;
  UidSet wanted;
  for (const Uid uid : uids.uids(std::numeric_limits<std::size_t>::max()))
    if (!sizes_.contains(uid)) wanted.add(uid);
  if (!wanted.empty()) {
    if (walked_folder_ == selected_->name && wanted.size() > 1)
      wanted.add(walked_.and_also(UidSet::range(1, wanted.ranges().front().first)).top(sizes_ahead));
    std::vector<FetchBatch> batches = Client::batches_of(wanted, 5'000, 60);
    const std::string items = "(UID RFC822.SIZE)";
    Fetched fetched;
    auto outcomes = co_await client_->fetch(std::move(batches), items, fetched);
    if (!outcomes) co_return fail(std::move(outcomes.error()));
    for (const FetchReply& reply : fetched.replies)
      if (reply.size) sizes_[reply.uid] = *reply.size;
  }
  std::map<Uid, std::uint64_t> sizes;
  for (const Uid uid : uids.uids(std::numeric_limits<std::size_t>::max()))
    if (const auto size = sizes_.find(uid); size != sizes_.end()) sizes.emplace(*size);
  co_return sizes;
}

std::vector<FetchBatch> ImapDriver::batches_by_size(const UidSet& uids,
                                                    const std::map<Uid, std::uint64_t>& sizes) const {
  std::vector<FetchBatch> batches;
  FetchBatch batch;
  std::size_t messages = 0;
  for (const Uid uid : uids.uids(std::numeric_limits<std::size_t>::max())) {
    const auto known = sizes.find(uid);
    const std::uint64_t octets = known == sizes.end() ? 4096 : known->second;
    if (messages >= settings_.messages_a_command ||
        (messages > 0 && batch.octets + octets > settings_.octets_a_command)) {
      batches.push_back(std::exchange(batch, {}));
      messages = 0;
    }
    batch.uids.add(uid);
    batch.octets += octets;
    ++messages;
  }
  if (messages > 0) batches.push_back(std::move(batch));
  return batches;
}

Async<void> ImapDriver::read_folder(const std::string& folder, std::uint32_t uid_validity, const UidSet& uids,
                                    bool with_body,
                                    std::map<std::string, Result<sync::RemoteItem>>& results) {
  std::string items = "(UID FLAGS INTERNALDATE RFC822.SIZE";
  if (client_->capabilities().gmail()) items += " X-GM-MSGID X-GM-LABELS";
  UidSet by_header = uids;
  UidSet whole;
  std::map<Uid, std::uint64_t> sizes;
  if (with_body) {
    auto known = co_await sizes_of(uids);
    if (!known) co_return fail(std::move(known.error()));
    sizes = std::move(*known);
    for (const auto& [uid, octets] : sizes)
      if (octets <= settings_.whole_octets) whole.add(uid);
    by_header = UidSet();
    for (const auto& [uid, octets] : sizes)
      if (octets > settings_.whole_octets) by_header.add(uid);
  }
  const ReadTerms terms{.folder = folder,
                        .uid_validity = uid_validity,
                        .with_body = with_body,
                        .keep_as_received = settings_.keep_as_received,
                        .keep_most_octets = settings_.cached_message_octets};
  const ReadMessages::Take take = [this](std::string id, KeptContent content) {
    cache_.put(std::move(id), std::move(content));
  };
  for (const bool is_whole : {true, false}) {
    const UidSet& chosen = is_whole ? whole : by_header;
    if (chosen.empty()) continue;
    const std::string all = items + (is_whole ? " BODY.PEEK[])" : " BODYSTRUCTURE BODY.PEEK[HEADER])");
    ReadMessages reader(terms, take, settings_.reading_thread);
    std::vector<FetchBatch> batches = is_whole
                                          ? batches_by_size(chosen, sizes)
                                          : Client::batches_of(chosen, settings_.messages_a_command, 4096);
    std::vector<FetchBatch> asked = batches;
    auto outcomes = co_await client_->fetch(std::move(asked), all, reader);
    if (!outcomes) co_return fail(std::move(outcomes.error()));
    if (auto settled = co_await reader.settle(); !settled) co_return settled;
    // One bad message never loses its batch: those that did not come are asked for one by one.
    for (std::size_t i = 0; i < batches.size(); ++i) {
      if ((*outcomes)[i]) continue;
      for (const Uid uid : batches[i].uids.uids(settings_.messages_a_command)) {
        if (reader.items().contains(uid)) continue;
        std::vector<FetchBatch> single = {{.uids = UidSet::range(uid, uid)}};
        auto one = co_await client_->fetch(std::move(single), all, reader);
        if (!one) co_return fail(std::move(one.error()));
        if (auto settled = co_await reader.settle(); !settled) co_return settled;
        if (!one->front() && !reader.items().contains(uid)) {
          Error error = std::move(one->front().error());
          // The server refuses this message and gives others: it is put aside.
          if (error.retry == RetryClass::never) error.retry = RetryClass::quarantine;
          reader.items().insert_or_assign(uid, fail(std::move(error)));
        }
      }
    }
    for (auto& [uid, item] : reader.items())
      if (chosen.contains(uid))
        results.insert_or_assign(ItemId{uid, uid_validity, folder}.text(), std::move(item));
  }
  co_return Result<void>{};
}

Async<RemoteItems> ImapDriver::read_once(const std::vector<std::string>& ids, bool with_body) {
  std::map<std::pair<std::string, std::uint32_t>, UidSet> by_folder;
  for (const std::string& id : ids)
    if (auto parsed = ItemId::parse(id)) by_folder[{parsed->folder, parsed->uid_validity}].add(parsed->uid);
  std::map<std::string, Result<sync::RemoteItem>> results;
  for (const auto& [place, uids] : by_folder) {
    const auto& [folder, uid_validity] = place;
    auto opened = co_await open_folder(folder);
    if (!opened) {
      if (opened.error().code == "gone") continue;
      co_return fail(std::move(opened.error()));
    }
    // Numbers of another time name nothing any more.
    if (selected_->uid_validity != uid_validity) continue;
    auto read = co_await read_folder(folder, uid_validity, uids, with_body, results);
    if (!read) co_return fail(std::move(read.error()));
  }
  RemoteItems items;
  items.reserve(ids.size());
  for (const std::string& id : ids) {
    const auto found = results.find(id);
    if (found == results.end())
      items.emplace_back(gone());
    else
      items.push_back(std::move(found->second));
  }
  co_return items;
}

Async<RemoteItems> ImapDriver::read(model::RecordKind kind, std::vector<std::string> ids, bool with_body) {
  if (kind != model::RecordKind::email) {
    RemoteItems none;
    for (std::size_t i = 0; i < ids.size(); ++i) none.emplace_back(gone());
    co_return none;
  }
  const auto once = [&] { return read_once(ids, with_body); };
  co_return co_await on_connection<RemoteItems>(once);
}

Async<ItemId> ImapDriver::locate(const std::string& id) {
  auto parsed = ItemId::parse(id);
  if (!parsed) co_return gone();
  auto opened = co_await open_folder(parsed->folder);
  if (!opened) co_return fail(std::move(opened.error()));
  if (selected_->uid_validity != parsed->uid_validity) co_return gone();
  co_return std::move(*parsed);
}

Async<bool> ImapDriver::fetch_mime(std::string id, sync::ContentSink& sink, std::uint64_t most_octets) {
  LimitedOutput output(sink, most_octets);
  if (const KeptContent* kept = cache_.find(id); kept != nullptr && !kept->as_received.empty()) {
    output.write(kept->as_received);
    if (auto good = output.outcome(); !good) co_return fail(std::move(good.error()));
    co_return true;
  }
  const auto once = [&]() -> Async<bool> {
    auto item = co_await locate(id);
    if (!item) co_return fail(std::move(item.error()));
    const UidSet uid = UidSet::range(item->uid, item->uid);
    auto sizes = co_await sizes_of(uid);
    if (!sizes) co_return fail(std::move(sizes.error()));
    if (sizes->empty()) co_return gone();
    const std::uint64_t octets = sizes->begin()->second;
    if (octets > most_octets)
      co_return fail(ErrorDomain::mail, "too-large",
                     "the message has " + std::to_string(octets) + " octets, the limit is " +
                         std::to_string(most_octets));
    SectionToOutput section(output, mime::TransferEncoding::identity);
    std::vector<FetchBatch> batches = {{.uids = uid, .octets = octets}};
    const std::string items = "(UID BODY.PEEK[])";
    auto outcomes = co_await client_->fetch(std::move(batches), items, section);
    if (!outcomes) co_return fail(of_output(std::move(outcomes.error()), output));
    if (auto good = first_error(*outcomes); !good) co_return fail(std::move(good.error()));
    if (!section.came()) co_return gone();
    if (auto good = output.outcome(); !good) co_return fail(std::move(good.error()));
    co_return true;
  };
  co_return co_await on_connection<bool>(once);
}

Async<void> ImapDriver::fetch_attachment(std::string attachment_id, sync::ContentSink& sink,
                                         std::uint64_t most_octets) {
  const auto id = AttachmentId::parse(attachment_id);
  if (!id) co_return gone();
  LimitedOutput output(sink, most_octets);
  if (id->number) {
    const KeptContent* kept = cache_.find(id->item);
    if (kept != nullptr && *id->number < kept->attachments.size()) {
      output.write(kept->attachments[*id->number]);
      co_return output.outcome();
    }
    if (kept != nullptr && !kept->as_received.empty()) {
      auto read =
          mime::read_message(std::string_view(kept->as_received), only_attachment(*id->number, output));
      if (!read) co_return fail(std::move(read.error()));
      if (*id->number >= read->attachments.size()) co_return gone();
      co_return output.outcome();
    }
  }
  const auto once = [&]() -> Async<void> {
    auto item = co_await locate(id->item);
    if (!item) co_return fail(std::move(item.error()));
    std::vector<FetchBatch> batches = {{.uids = UidSet::range(item->uid, item->uid)}};
    bool came = false;
    if (id->number) {
      MessageToReader reader(only_attachment(*id->number, output));
      const std::string items = "(UID BODY.PEEK[])";
      auto outcomes = co_await client_->fetch(std::move(batches), items, reader);
      if (!outcomes) co_return fail(of_output(std::move(outcomes.error()), output));
      if (auto good = first_error(*outcomes); !good) co_return good;
      came = reader.came() && reader.message() && *id->number < reader.message()->attachments.size();
    } else {
      SectionToOutput section(
          output, mime::parse_transfer_encoding(id->encoding).value_or(mime::TransferEncoding::identity));
      const std::string items = "(UID BODY.PEEK[" + id->section + "])";
      auto outcomes = co_await client_->fetch(std::move(batches), items, section);
      if (!outcomes) co_return fail(of_output(std::move(outcomes.error()), output));
      if (auto good = first_error(*outcomes); !good) co_return good;
      came = section.came();
    }
    if (!came) co_return gone();
    co_return output.outcome();
  };
  auto done = co_await on_connection<void>(once);
  co_return done;
}

Async<std::optional<sync::RemoteItem>> ImapDriver::attached_message(std::string id) {
  std::optional<mime::MessageReader> nested;
  std::optional<std::size_t> number;
  if (const KeptContent* kept = cache_.find(id); kept != nullptr && !kept->as_received.empty()) {
    auto read = mime::read_message(std::string_view(kept->as_received), first_message(nested, number));
    if (!read) co_return fail(std::move(read.error()));
  } else {
    const auto once = [&]() -> Async<void> {
      nested.reset();
      number.reset();
      auto item = co_await locate(id);
      if (!item) co_return fail(std::move(item.error()));
      MessageToReader reader(first_message(nested, number));
      std::vector<FetchBatch> batches = {{.uids = UidSet::range(item->uid, item->uid)}};
      const std::string items = "(UID BODY.PEEK[])";
      auto outcomes = co_await client_->fetch(std::move(batches), items, reader);
      if (!outcomes) co_return fail(std::move(outcomes.error()));
      if (auto good = first_error(*outcomes); !good) co_return good;
      if (!reader.came()) co_return gone();
      co_return Result<void>{};
    };
    auto done = co_await on_connection<void>(once);
    if (!done) co_return fail(std::move(done.error()));
  }
  std::optional<sync::RemoteItem> item;
  if (!nested) co_return item;
  auto message = nested->finish();
  if (!message) co_return fail(std::move(message.error()));
  item.emplace();
  item->ref.id = id + attachment_border + std::to_string(*number);
  item->kind = model::RecordKind::email;
  item->item_class = mail::item_class_of(*message);
  mail::MessageContext context;
  item->fields = mail::fields_of(*message, context);
  // Attachments of an attached message have no ids of their own here.
  item->fields.erase("attachments");
  co_return item;
}

// --- finding again ---

Async<std::optional<Uid>> ImapDriver::find_in_open_folder(const SearchKey& key) {
  std::optional<Uid> found;
  if (key.gmail_message_id) {
    std::string criteria = "X-GM-MSGID " + std::to_string(*key.gmail_message_id);
    auto uids = co_await client_->search(std::move(criteria));
    if (!uids) co_return fail(std::move(uids.error()));
    if (!uids->empty()) found = uids->highest();
    co_return found;
  }
  const SystemTime received{std::chrono::seconds(key.received_seconds)};
  std::string criteria = "SINCE " + format_search_date(received - std::chrono::hours(24)) + " BEFORE " +
                         format_search_date(received + std::chrono::hours(48));
  if (key.octets > 1)
    criteria += " LARGER " + std::to_string(key.octets - 1) + " SMALLER " + std::to_string(key.octets + 1);
  auto uids = co_await client_->search(std::move(criteria));
  if (!uids) co_return fail(std::move(uids.error()));
  if (uids->empty()) co_return found;
  std::vector<FetchBatch> batches = Client::batches_of(uids->top(most_candidates), 500, 300);
  const std::string items = "(UID INTERNALDATE RFC822.SIZE BODY.PEEK[HEADER.FIELDS (MESSAGE-ID)])";
  Fetched fetched;
  auto outcomes = co_await client_->fetch(std::move(batches), items, fetched);
  if (!outcomes) co_return fail(std::move(outcomes.error()));
  for (const FetchReply& reply : fetched.replies) {
    if (reply.size != key.octets || !reply.internal_date ||
        seconds_of(*reply.internal_date) != key.received_seconds || reply.sections.empty())
      continue;
    if (message_id_in(reply.sections.front().value.value_or("")) == key.message_id)
      found = std::max(found.value_or(0), reply.uid);
  }
  co_return found;
}

Async<std::optional<sync::Driver::Found>> ImapDriver::find_once(const SearchKey& key) {
  std::optional<Found> found;
  auto all = co_await listed();
  if (!all) co_return fail(std::move(all.error()));
  std::vector<sync::RemoteFolder> places = mail_folders(*all);
  // What was archived lies in no other folder of Gmail's.
  if (key.gmail_message_id)
    if (const std::string archive = archive_folder(*all); !archive.empty()) places.push_back({.id = archive});
  std::optional<Error> closed;
  for (const sync::RemoteFolder& place : places) {
    const bool is_deleted = place.role == sync::FolderRole::deleted;
    if (found && is_deleted) continue;
    auto opened = co_await open_folder(place.id, true);
    if (!opened) {
      if (!client_->session().open()) co_return fail(std::move(opened.error()));
      if (opened.error().code != "gone") closed = std::move(opened.error());
      continue;
    }
    auto uid = co_await find_in_open_folder(key);
    if (!uid) co_return fail(std::move(uid.error()));
    if (!*uid) continue;
    Found here{.item = {.id = ItemId{**uid, selected_->uid_validity, place.id}.text()},
               .folder_id = place.id,
               .in_deleted_items = is_deleted};
    found = std::move(here);
    if (!is_deleted) co_return found;
  }
  // "Nowhere" is only true of folders that were looked into.
  if (!found && closed) co_return fail(std::move(*closed));
  co_return found;
}

Async<std::optional<sync::Driver::Found>> ImapDriver::find(model::RecordKind kind, std::string search_key) {
  const auto key = SearchKey::parse(search_key);
  if (!key || kind != model::RecordKind::email) co_return std::optional<Found>();
  const auto once = [&] { return find_once(*key); };
  co_return co_await on_connection<std::optional<Found>>(once);
}

// --- writing ---

Async<sync::Applied> ImapDriver::apply(const sync::WriteOrder& order, sync::Progress& progress,
                                       const sync::OpenContent& content) {
  switch (order.what) {
    case sync::WriteOrder::What::send:
      if (!send_) co_return not_supported("send");
      co_return co_await send_(order, progress, content);
    case sync::WriteOrder::What::remove: {
      const auto once = [&] { return remove(order, progress); };
      co_return co_await on_connection<sync::Applied>(once);
    }
    case sync::WriteOrder::What::update: {
      const auto once = [&] { return update(order); };
      co_return co_await on_connection<sync::Applied>(once);
    }
    case sync::WriteOrder::What::create:
      break;
  }
  co_return not_supported("take a message that was not sent");
}

/// By which the message in the open folder is found again; nullopt: it is not there.
Async<std::optional<SearchKey>> ImapDriver::search_key_of(Uid uid) {
  std::vector<FetchBatch> batches = {{.uids = UidSet::range(uid, uid)}};
  std::string items = "(UID INTERNALDATE RFC822.SIZE BODY.PEEK[HEADER.FIELDS (MESSAGE-ID)]";
  items += client_->capabilities().gmail() ? " X-GM-MSGID)" : ")";
  Fetched fetched;
  auto outcomes = co_await client_->fetch(std::move(batches), items, fetched);
  if (!outcomes) co_return fail(std::move(outcomes.error()));
  if (auto good = first_error(*outcomes); !good) co_return fail(std::move(good.error()));
  std::optional<SearchKey> key;
  for (const FetchReply& reply : fetched.replies) {
    if (reply.uid != uid || !reply.internal_date || reply.sections.empty()) continue;
    key = SearchKey{.gmail_message_id = reply.gmail_message_id,
                    .octets = reply.size.value_or(0),
                    .received_seconds = seconds_of(*reply.internal_date),
                    .message_id = message_id_in(reply.sections.front().value.value_or(""))};
  }
  co_return key;
}

/// Of servers without MOVE. A COPY whose answer was lost may have been done: then the copy is looked for
/// instead of being made again (invariant 6).
Async<Copied> ImapDriver::move_by_copy(const ItemId& item, const std::string& target,
                                       sync::Progress& progress) {
  const UidSet uid = UidSet::range(item.uid, item.uid);
  Copied copied;
  if (progress.text() == copying) {
    auto key = co_await search_key_of(item.uid);
    if (!key) co_return fail(std::move(key.error()));
    if (!*key) co_return gone();
    auto there = co_await open_folder(target, true);
    if (!there) co_return fail(std::move(there.error()));
    auto found = co_await find_in_open_folder(**key);
    if (!found) co_return fail(std::move(found.error()));
    if (*found) {
      copied.uid_validity = selected_->uid_validity;
      copied.to = UidSet::range(**found, **found);
    }
    const std::string text = item.text();
    auto back = co_await locate(text);
    if (!back) co_return fail(std::move(back.error()));
  } else if (auto saved = progress.save(std::string(copying)); !saved) {
    co_return fail(std::move(saved.error()));
  }
  if (copied.to.empty()) {
    auto made = co_await client_->copy(uid, target);
    if (!made) co_return fail(std::move(made.error()));
    copied = std::move(*made);
  }
  const std::vector<std::string> deleted = {"\\Deleted"};
  const std::string how = "+FLAGS";
  auto marked = co_await client_->store(uid, how, deleted);
  if (!marked) co_return fail(std::move(marked.error()));
  if (client_->capabilities().uidplus()) {
    auto expunged = co_await client_->expunge(uid);
    if (!expunged) co_return fail(std::move(expunged.error()));
  }
  co_return copied;
}

Async<sync::Applied> ImapDriver::remove(const sync::WriteOrder& order, sync::Progress& progress) {
  auto trash = co_await folder_of(sync::FolderRole::deleted);
  if (!trash) co_return fail(std::move(trash.error()));
  auto item = co_await locate(order.item.id);
  if (!item) co_return fail(std::move(item.error()));
  if (item->folder == *trash) co_return sync::Applied{.item = order.item};
  const UidSet uid = UidSet::range(item->uid, item->uid);
  std::vector<FetchBatch> batches = {{.uids = uid}};
  const std::string items = "(UID FLAGS)";
  Fetched fetched;
  auto outcomes = co_await client_->fetch(std::move(batches), items, fetched);
  if (!outcomes) co_return fail(std::move(outcomes.error()));
  const auto now = std::find_if(fetched.replies.begin(), fetched.replies.end(),
                                [&](const FetchReply& reply) { return reply.uid == item->uid; });
  if (now == fetched.replies.end()) co_return gone();
  if (!order.item.version.empty() && now->flags && version_of(*now->flags) != order.item.version)
    co_return fail(ErrorDomain::mail, "conflict", "the message was changed meanwhile", RetryClass::now);
  std::string target = std::move(*trash);
  if (target.empty()) {
    target = "Trash";
    auto made = co_await client_->create(target);
    if (!made && made.error().code != "ALREADYEXISTS") co_return fail(std::move(made.error()));
    folders_.reset();
  }
  Result<Copied> moved;
  if (client_->capabilities().move())
    moved = co_await client_->move(uid, target);
  else
    moved = co_await move_by_copy(*item, target, progress);
  if (!moved) co_return fail(std::move(moved.error()));
  cache_.drop(order.item.id);
  sync::Applied applied;
  if (moved->uid_validity != 0 && !moved->to.empty())
    applied.item.id = ItemId{moved->to.highest(), moved->uid_validity, target}.text();
  co_return applied;
}

Async<sync::Applied> ImapDriver::update(const sync::WriteOrder& order) {
  const model::FieldValue* is_read = order.fields.if_contains("isRead");
  if (is_read == nullptr || !is_read->is_bool() || order.fields.size() != 1)
    co_return not_supported("change more of a message than whether it was read");
  auto item = co_await locate(order.item.id);
  if (!item) co_return fail(std::move(item.error()));
  const UidSet uid = UidSet::range(item->uid, item->uid);
  const std::string how = is_read->get_bool() ? "+FLAGS" : "-FLAGS";
  const std::vector<std::string> flags = {"\\Seen"};
  auto stored = co_await client_->store(uid, how, flags);
  if (!stored) co_return fail(std::move(stored.error()));
  co_return sync::Applied{.item = {.id = order.item.id, .version = is_read->get_bool() ? "r" : "u"}};
}

Async<sync::RemoteRef> ImapDriver::unmark(sync::RemoteRef item, model::RecordKind) {
  // A message is what it is.
  co_return item;
}

Async<sync::Claim> ImapDriver::claim(std::string organisation_id, std::string organisation_name, bool) {
  co_return sync::Claim{
      .ours = true, .owner_id = std::move(organisation_id), .owner_name = std::move(organisation_name)};
}

// --- the Sent folder ---

Async<std::optional<sync::RemoteRef>> ImapDriver::find_sent(std::string message_id,
                                                            std::string operation_id) {
  const auto once = [&]() -> Async<std::optional<sync::RemoteRef>> {
    std::optional<sync::RemoteRef> found;
    auto sent = co_await folder_of(sync::FolderRole::sent);
    if (!sent) co_return fail(std::move(sent.error()));
    if (sent->empty()) co_return found;
    const std::string folder = *sent;
    auto opened = co_await open_folder(folder, true);
    if (!opened) co_return fail(std::move(opened.error()));
    for (const auto& [field, text] : {std::pair(std::string("Message-ID"), message_id),
                                      std::pair(std::string("X-Microsoft-Original-Message-ID"), message_id),
                                      std::pair(std::string(mail::operation_header), operation_id)}) {
      if (text.empty()) continue;
      std::string criteria = "HEADER " + field;
      std::optional<std::string> wanted = text;
      auto uids = co_await client_->search(std::move(criteria), std::move(wanted));
      if (!uids) co_return fail(std::move(uids.error()));
      if (uids->empty()) continue;
      found = sync::RemoteRef{.id = ItemId{uids->highest(), selected_->uid_validity, folder}.text()};
      break;
    }
    co_return found;
  };
  co_return co_await on_connection<std::optional<sync::RemoteRef>>(once);
}

Async<sync::RemoteRef> ImapDriver::append_sent(sync::ContentSource& message, std::string message_id) {
  auto ready = co_await ensure_connected();
  if (!ready) co_return fail(std::move(ready.error()));
  auto sent = co_await folder_of(sync::FolderRole::sent);
  if (!sent) co_return fail(std::move(sent.error()));
  if (sent->empty())
    co_return fail(ErrorDomain::mail, "no-sent-folder", "the mailbox has no folder for sent messages");
  if (auto back = message.rewind(); !back) co_return fail(std::move(back.error()));
  ReadOctets read = [&message](std::span<std::byte> room) { return message.read(room); };
  const std::string folder = *sent;
  const std::vector<std::string> flags = {"\\Seen"};
  const std::optional<SystemTime> now = environment_.clock.now();
  auto appended = co_await client_->append(folder, flags, now, message.size(), std::move(read));
  if (!appended) co_return fail(std::move(appended.error()));
  if (appended->uid != 0)
    co_return sync::RemoteRef{.id = ItemId{appended->uid, appended->uid_validity, folder}.text(),
                              .version = "r"};
  // Without UIDPLUS the copy has to be looked for.
  std::string none;
  auto found = co_await find_sent(std::move(message_id), std::move(none));
  if (!found) co_return fail(std::move(found.error()));
  co_return found->value_or(sync::RemoteRef{});
}

ImapDriver::Mark ImapDriver::mark_of_open_folder() const {
  return {.uid_validity = selected_->uid_validity,
          .uid_next = selected_->uid_next,
          .exists = client_->selected() != nullptr ? client_->selected()->exists : selected_->exists,
          .modseq = selected_->highest_modseq};
}

/// Thousands of drivers wait at once.
void ImapDriver::give_back() {
  cache_.clear();
  folders_.reset();
  walked_folder_.clear();
  walked_ = {};
  sized_folder_.clear();
  sizes_.clear();
}

Async<bool> ImapDriver::wait_for_change(const sync::RemoteFolder& folder, SteadyTime until) {
  give_back();
  wait_ended_ = false;
  const auto once = [&]() -> Async<bool> {
    const std::string name = folder.id;
    auto opened = co_await open_folder(name);
    if (!opened) co_return fail(std::move(opened.error()));
    // A server tells of a change once: one that came with the reply to another command, or before this
    // connection, is not told of in IDLE.
    const auto pulled = marks_.find(name);
    const bool vanished = !client_->take_vanished().empty();
    if (pulled == marks_.end() || vanished || pulled->second != mark_of_open_folder()) co_return true;
    if (wait_ended_) co_return false;
    co_return co_await client_->idle(until);
  };
  co_return co_await on_connection<bool>(once);
}

void ImapDriver::end_wait() {
  wait_ended_ = true;
  if (client_) client_->end_idle();
}

Async<void> ImapDriver::close() {
  if (client_ && client_->session().open()) static_cast<void>(co_await client_->log_out());
  selected_.reset();
  walked_folder_.clear();
  co_return Result<void>{};
}

}  // namespace syncline::imap
