// SPDX-License-Identifier: GPL-3.0-or-later
#include "sync/folder_pull.hpp"

#include <algorithm>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <iterator>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "sync/deletes.hpp"
#include "sync/incoming.hpp"

namespace syncline::sync {
namespace {

namespace json = boost::json;
using store::Cursor;
using store::Transaction;

/// Names of cursors that are no folder's: the engine's own.
constexpr std::string_view own_cursors = "!";

constexpr std::chrono::hours resync_alert_window{1};

/// The engine's own notes beside a cursor.
struct Notes {
  std::string phase = {};    ///< "": the feed; "state": first contact, the feed is run to its end; "backfill"
  std::string reached = {};  ///< backfill: the last id that was taken
  bool audit_due = false;    ///< a full enumeration is under way or just over
  std::int64_t audited = 0;  ///< seconds since the epoch
};

Notes read_notes(std::string_view text) {
  Notes notes;
  boost::system::error_code bad;
  const json::value value = json::parse(text.empty() ? std::string_view("{}") : text, bad);
  if (bad || !value.is_object()) return notes;
  const json::object& object = value.get_object();
  notes.phase = model::text_of(object, "phase");
  notes.reached = model::text_of(object, "reached");
  if (const json::value* due = object.if_contains("auditDue"))
    notes.audit_due = due->is_bool() && due->get_bool();
  if (const json::value* at = object.if_contains("audited"); at != nullptr && at->is_int64())
    notes.audited = at->get_int64();
  return notes;
}

std::string write_notes(const Notes& notes) {
  return json::serialize(json::object{{"phase", notes.phase},
                                      {"reached", notes.reached},
                                      {"auditDue", notes.audit_due},
                                      {"audited", notes.audited}});
}

class FolderPull {
 public:
  FolderPull(RunContext& context, const RemoteFolder& folder) : context_(context), folder_(folder) {}

  Async<void> run() {
    auto known = context_.store.read<std::optional<Cursor>>([&](Transaction& transaction) {
      return store::find_cursor(transaction, context_.settings.mailbox, folder_.id);
    });
    if (!known) co_return fail(std::move(known.error()));
    if (*known) {
      cursor_ = std::move(**known);
      notes_ = read_notes(cursor_.notes);
    } else {
      cursor_ = {.mailbox = context_.settings.mailbox, .folder = folder_.id};
      notes_.audited = seconds_now();
      if (folder_.kind == model::RecordKind::email && context_.policies().mail.process_from)
        notes_.phase = "state";
    }
    if (notes_.phase == "backfill") {
      auto filled = co_await backfill();
      if (!filled) co_return filled;
    }
    auto fed = co_await feed();
    if (!fed) co_return fed;
    const bool due = notes_.audit_due || context_.options.audit_now ||
                     context_.now() - SystemTime(std::chrono::seconds(notes_.audited)) >
                         context_.policies().sync.audit_every;
    if (due) co_return co_await audit();
    co_return Result<void>{};
  }

 private:
  std::int64_t seconds_now() const {
    return std::chrono::duration_cast<std::chrono::seconds>(context_.now().time_since_epoch()).count();
  }
  Cursor cursor_now() {
    cursor_.notes = write_notes(notes_);
    return cursor_;
  }

  Async<void> feed() {
    std::uint64_t done = 0;
    bool restarted = false;
    for (bool last = false; !last;) {
      const std::string from = cursor_.text;
      ReadAhead ahead;
      auto page = co_await next_page(from, ahead);
      if (!page) {
        if (page.error().retry != RetryClass::resync || restarted) co_return fail(std::move(page.error()));
        restarted = true;
        const Error why = page.error();
        auto noted = restart(why);
        if (!noted) co_return noted;
        continue;
      }
      last = page->last;
      // A feed that says "more" and does not move would never end.
      if (!last && page->cursor == cursor_.text && page->entries.empty())
        co_return fail(ErrorDomain::ews, "feed-stands-still",
                       "the feed of " + folder_.name + " does not go on");
      cursor_.text = page->cursor;
      done += page->entries.size();
      if (notes_.phase == "state") {
        // First contact: only the state counts, what the folder holds comes by date.
        if (last) notes_.phase = "backfill";
        auto kept = keep_cursor();
        if (!kept) co_return kept;
      } else {
        if (last) cursor_.complete = true;
        const bool echo = page->entries.empty() && last && from == page->cursor;
        const Cursor with = cursor_now();
        if (!echo) {
          context_.reading_again = notes_.audit_due;
          std::function<Async<void>()> meanwhile;
          if (!last) meanwhile = [this] { return pull_ahead(); };
          auto taken =
              co_await take_page(context_, folder_, *page, with, std::move(ahead), std::move(meanwhile));
          context_.reading_again = false;
          if (!taken) co_return taken;
        }
      }
      context_.report("reading", folder_.name, done, std::max<std::uint64_t>(done, folder_.total_items));
    }
    if (notes_.phase == "backfill") co_return co_await backfill();
    co_return Result<void>{};
  }

  /// As many of the server's pages as are taken in one transaction: every commit writes the pages of the
  /// indices anew, however few its items.
  Async<FeedPage> pull(std::string from) {
    // Of a state alone nothing is read.
    const std::size_t wanted = notes_.phase == "state" ? most_feed_entries : context_.page_items;
    auto whole = co_await context_.driver.pull(folder_, from, std::min(wanted, most_feed_entries));
    while (whole && !whole->last && !whole->entries.empty() && whole->entries.size() < wanted) {
      const std::string next = whole->cursor;
      const std::size_t most = std::min(wanted - whole->entries.size(), most_feed_entries);
      auto page = co_await context_.driver.pull(folder_, next, most);
      // What came before the error is taken; asked again, it says the same.
      if (!page || (!page->last && page->cursor == next)) break;
      std::move(page->entries.begin(), page->entries.end(), std::back_inserter(whole->entries));
      whole->cursor = std::move(page->cursor);
      whole->last = page->last;
    }
    co_return whole;
  }

  /// The next page and its new items, while the one before goes to the disk. What fails here fails at its
  /// turn, or not.
  Async<void> pull_ahead() {
    const std::string from = cursor_.text;
    auto page = co_await pull(from);
    ahead_.emplace(Ahead{.page = std::move(page)});
    if (!ahead_->page) co_return Result<void>{};
    auto items = co_await read_ahead(context_, folder_, *ahead_->page, !cursor_.complete);
    if (items) ahead_->items = std::move(*items);
    co_return Result<void>{};
  }

  Async<FeedPage> next_page(std::string from, ReadAhead& items) {
    if (!ahead_) co_return co_await pull(std::move(from));
    Ahead ahead = std::move(*ahead_);
    ahead_.reset();
    items = std::move(ahead.items);
    co_return std::move(ahead.page);
  }

  Result<void> keep_cursor() {
    auto kept = context_.store.write<void>([&](Transaction& transaction) -> Result<void> {
      return store::put_cursor(transaction, cursor_now());
    });
    return kept;
  }

  /// The server does not take the cursor: once more from the beginning, and then compare what is not there
  /// any more.
  Result<void> restart(const Error& why) {
    const auto before = cursor_.resynced_at;
    cursor_.text.clear();
    cursor_.resynced_at = context_.now();
    notes_.audit_due = true;
    auto noted = context_.store.write<void>([&](Transaction& transaction) -> Result<void> {
      if (auto done = store::put_cursor(transaction, cursor_now()); !done) return done;
      if (auto done = note(context_, transaction, "", 0,
                           {.event = "full-resync", .reason = why.code, .text = "folder " + folder_.name});
          !done)
        return done;
      if (before && context_.now() - *before < resync_alert_window)
        if (auto done = store::raise_alert(
                transaction,
                {.mailbox = context_.settings.mailbox,
                 .level = store::AlertLevel::warning,
                 .code = "resync-loop",
                 .text = "the server refused the state of folder " + folder_.name + " twice within an hour",
                 .remedy = "If it goes on: has the mailbox been moved or restored?"});
            !done)
          return done;
      return {};
    });
    return noted;
  }

  /// Messages since the start date, newest first, a chunk a transaction.
  Async<void> backfill() {
    const SystemTime from = context_.policies().mail.process_from.value_or(SystemTime{});
    auto ids = co_await context_.driver.received_since(folder_, from);
    if (!ids) co_return fail(std::move(ids.error()));
    auto next = ids->begin();
    if (!notes_.reached.empty())
      if (const auto reached = std::find(ids->begin(), ids->end(), notes_.reached); reached != ids->end())
        next = reached + 1;
    const std::uint64_t total = ids->size();
    while (next != ids->end()) {
      const auto end = next + std::min(ids->end() - next, static_cast<std::ptrdiff_t>(context_.page_items));
      std::vector<RemoteRef> chunk;
      for (; next != end; ++next) chunk.push_back({.id = *next});
      notes_.reached = chunk.back().id;
      std::optional<Cursor> with = cursor_now();
      auto taken = co_await take_items(context_, folder_, std::move(chunk), std::move(with));
      if (!taken) co_return taken;
      context_.report("reading", folder_.name, static_cast<std::uint64_t>(next - ids->begin()), total);
    }
    notes_.phase.clear();
    notes_.reached.clear();
    cursor_.complete = true;
    co_return keep_cursor();
  }

  /// Any feed may have holes: ids and versions of the whole folder against what is linked.
  Async<void> audit() {
    auto listed = co_await context_.driver.list(folder_);
    if (!listed) co_return fail(std::move(listed.error()));
    auto linked = context_.store.read<std::vector<store::LinkKey>>([&](Transaction& transaction) {
      return store::link_keys(transaction, context_.settings.mailbox, folder_.id);
    });
    if (!linked) co_return fail(std::move(linked.error()));
    std::unordered_map<std::string_view, const store::LinkKey*> by_id;
    by_id.reserve(linked->size());
    for (const store::LinkKey& key : *linked) by_id.emplace(key.remote_id, &key);
    std::vector<RemoteRef> missed;
    for (RemoteRef& item : *listed) {
      const auto found = by_id.find(item.id);
      if (found == by_id.end() || found->second->remote_version != item.version) missed.push_back(item);
      if (found != by_id.end()) by_id.erase(found);
    }
    // Mail from before the start date was left out on purpose.
    if (folder_.kind == model::RecordKind::email && context_.policies().mail.process_from &&
        !missed.empty()) {
      auto since = co_await context_.driver.received_since(folder_, *context_.policies().mail.process_from);
      if (!since) co_return fail(std::move(since.error()));
      std::unordered_set<std::string_view> wanted(since->begin(), since->end());
      for (const store::LinkKey& key : *linked) wanted.insert(key.remote_id);
      std::erase_if(missed, [&](const RemoteRef& item) { return !wanted.contains(item.id); });
    }
    auto held = context_.store.write<void>([&](Transaction& transaction) -> Result<void> {
      for (const auto& [_, key] : by_id) {
        auto link = store::find_link(transaction, key->id);
        if (!link) return fail(std::move(link.error()));
        if (!*link || (*link)->state == store::LinkState::unlinked) continue;
        if (auto done = hold_delete(context_, transaction, std::move(**link)); !done) return done;
      }
      return {};
    });
    if (!held) co_return fail(std::move(held.error()));
    for (auto next = missed.begin(); next != missed.end();) {
      const auto end = next + std::min(missed.end() - next, static_cast<std::ptrdiff_t>(context_.page_items));
      std::vector<RemoteRef> chunk(std::exchange(next, end), end);
      std::optional<Cursor> none;
      auto taken = co_await take_items(context_, folder_, std::move(chunk), std::move(none));
      if (!taken) co_return taken;
    }
    notes_.audit_due = false;
    notes_.audited = seconds_now();
    co_return keep_cursor();
  }

  RunContext& context_;
  const RemoteFolder& folder_;
  Cursor cursor_;
  Notes notes_;
  struct Ahead {
    Result<FeedPage> page;
    ReadAhead items = {};
  };
  std::optional<Ahead> ahead_ = std::nullopt;  ///< from cursor_ on
};

}  // namespace

Async<void> pull_folder(RunContext& context, const RemoteFolder& folder) {
  FolderPull pull(context, folder);
  co_return co_await pull.run();
}

Result<void> leave_lost_folders(RunContext& context) {
  if (context.folders.empty()) return {};
  auto cursors = context.store.read<std::vector<Cursor>>(
      [&](Transaction& transaction) { return store::list_cursors(transaction, context.settings.mailbox); });
  if (!cursors) return fail(std::move(cursors.error()));
  std::erase_if(*cursors, [&](const Cursor& cursor) {
    return cursor.folder.starts_with(own_cursors) || context.folder(cursor.folder) != nullptr;
  });
  if (cursors->empty()) return {};
  return context.store.write<void>([&](Transaction& transaction) -> Result<void> {
    for (const Cursor& cursor : *cursors) {
      auto keys = store::link_keys(transaction, context.settings.mailbox, cursor.folder);
      if (!keys) return fail(std::move(keys.error()));
      for (const store::LinkKey& key : *keys) {
        auto link = store::find_link(transaction, key.id);
        if (!link) return fail(std::move(link.error()));
        // Without a search key nobody could tell an item that is gone from one that has another id.
        if (!*link || (*link)->search_key.empty()) continue;
        if (auto done = hold_delete(context, transaction, std::move(**link)); !done) return done;
      }
      if (auto done = store::delete_cursor(transaction, cursor.mailbox, cursor.folder); !done) return done;
    }
    return {};
  });
}

}  // namespace syncline::sync
