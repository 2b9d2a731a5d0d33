// SPDX-License-Identifier: GPL-3.0-or-later
#include "sync/incoming.hpp"

#include <algorithm>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "store/configuration.hpp"
#include "store/links_alike.hpp"
#include "store/records.hpp"
#include "sync/deletes.hpp"
#include "sync/incoming_item.hpp"
#include "sync/store_sink.hpp"

namespace syncline::sync {
namespace {

using store::Transaction;

/// What has to be done with a page's entries, once the store was asked what is known of them.
struct SortedPage {
  std::vector<RemoteRef> to_read;
  std::vector<bool> linked;  ///< for each of to_read
  std::vector<std::pair<store::Link, bool>> read_flags;
  std::vector<store::Link> gone;
};

/// One item may stand in a page more than once: what it says last counts.
std::vector<const FeedEntry*> last_of_each(const FeedPage& page) {
  std::unordered_map<std::string_view, std::size_t> last;
  last.reserve(page.entries.size());
  for (std::size_t i = 0; i < page.entries.size(); ++i) last[page.entries[i].item.id] = i;
  std::vector<const FeedEntry*> chosen;
  chosen.reserve(last.size());
  for (std::size_t i = 0; i < page.entries.size(); ++i)
    if (last[page.entries[i].item.id] == i) chosen.push_back(&page.entries[i]);
  return chosen;
}

Result<SortedPage> sort_page(RunContext& context, const FeedPage& page) {
  return context.store.read<SortedPage>([&](Transaction& transaction) -> Result<SortedPage> {
    SortedPage sorted;
    for (const FeedEntry* entry : last_of_each(page)) {
      auto link = store::find_link(transaction, context.settings.mailbox, entry->item.id);
      if (!link) return fail(std::move(link.error()));
      if (entry->what == FeedEntry::What::deleted) {
        if (*link && (*link)->state != store::LinkState::unlinked) sorted.gone.push_back(std::move(**link));
        continue;
      }
      if (entry->what == FeedEntry::What::read_flag) {
        if (*link && (*link)->state != store::LinkState::unlinked)
          sorted.read_flags.emplace_back(std::move(**link), entry->is_read);
        continue;
      }
      if (*link) {
        if (!entry->item.version.empty() && (*link)->remote_version == entry->item.version &&
            (*link)->state == store::LinkState::linked)
          continue;  // as we know it: an echo (invariant 3)
        if ((*link)->state == store::LinkState::unlinked) continue;
        if (context.busy_links.contains((*link)->id)) {
          context.touched_links.insert((*link)->id);
          continue;
        }
      } else {
        const auto removed = context.doubles.find(entry->item.id);
        if (removed != context.doubles.end() && removed->second == entry->item.version) continue;
        auto quarantined = store::find_quarantined(transaction, context.settings.mailbox, entry->item.id);
        if (!quarantined) return fail(std::move(quarantined.error()));
        if (*quarantined && (*quarantined)->item_version == entry->item.version && !(*quarantined)->replay)
          continue;
      }
      sorted.to_read.push_back(entry->item);
      sorted.linked.push_back(link->has_value());
    }
    return sorted;
  });
}

Result<void> put_read_flag(Transaction& transaction, store::Link link, bool is_read) {
  auto record = store::find_record(transaction, link.record);
  if (!record) return fail(std::move(record.error()));
  if (!*record) return {};
  link.base["isRead"] = is_read;
  const model::FieldValue* now = (*record)->fields.if_contains("isRead");
  if (now == nullptr || *now != model::FieldValue(is_read)) {
    const bool was_level = link.record_version == (*record)->version;
    (*record)->fields["isRead"] = is_read;
    auto updated = store::update_record(transaction, std::move(**record));
    if (!updated) return fail(std::move(updated.error()));
    if (was_level) link.record_version = updated->version;
  }
  return store::update_link(transaction, link);
}

Result<void> quarantine(RunContext& context, Transaction& transaction, const RemoteFolder& folder,
                        const RemoteRef& item, const Error& error) {
  auto before = store::find_quarantined(transaction, context.settings.mailbox, item.id);
  if (!before) return fail(std::move(before.error()));
  store::Quarantined row =
      before->value_or(store::Quarantined{.mailbox = context.settings.mailbox, .item = item.id});
  if (!*before) row.first_seen = context.now();
  row.folder = folder.id;
  row.item_version = item.version;
  row.code = error.code;
  row.text = error.message;
  row.last_tried = context.now();
  row.attempts += 1;
  row.replay = false;
  if (auto put = store::put_quarantined(transaction, row); !put) return put;
  ++context.summary.of(folder.kind).quarantined;
  return note(context, transaction, item.id, 0,
              {.event = "quarantined", .reason = error.code, .text = error.message});
}

/// The item was left to its mailbox when its record was deleted.
Result<bool> is_parted(Transaction& transaction, const store::Link& link) {
  if (link.state != store::LinkState::unlinked) return false;
  auto record = store::find_record(transaction, link.record);
  if (!record) return fail(std::move(record.error()));
  return !record->has_value();
}

/// Of a message that came a thousand times not each is asked for again with the next.
constexpr std::size_t most_alike = 32;

/// The link that its mark names; else those of its search key, which the copies of an item share.
Result<std::vector<store::Link>> links_like(RunContext& context, Transaction& transaction,
                                            const RemoteItem& item) {
  if (item.operation_id && !context.open_operations.contains(*item.operation_id)) {
    auto operation = store::find_operation(transaction, *item.operation_id);
    if (!operation) return fail(std::move(operation.error()));
    if (*operation && (*operation)->mailbox == context.settings.mailbox && !(*operation)->result_id.empty()) {
      auto link = store::find_link(transaction, context.settings.mailbox, (*operation)->result_id);
      if (!link) return fail(std::move(link.error()));
      if (*link) return std::vector{std::move(**link)};
    }
  }
  std::vector<store::Link> found;
  if (item.search_key.empty()) return found;
  auto links = store::find_links_by_search_key(transaction, context.settings.mailbox, item.search_key);
  if (!links) return fail(std::move(links.error()));
  for (store::Link& link : *links) {
    if (found.size() == most_alike) break;
    auto parted = is_parted(transaction, link);
    if (!parted) return fail(std::move(parted.error()));
    if (link.state != store::LinkState::unlinked || *parted) found.push_back(std::move(link));
  }
  return found;
}

/// How many of the fields that were agreed on the item still has.
std::ptrdiff_t likeness(const store::Link& link, const RemoteItem& item) {
  return std::count_if(link.base.begin(), link.base.end(), [&](const auto& field) {
    const model::FieldValue* there = item.fields.if_contains(field.key());
    return there != nullptr && *there == field.value();
  });
}

/// Finds the link that an item's mark or search key points to, and whether the item of that link is still
/// there. Of several the one is meant whose item is gone and was most like this one: of two copies that both
/// moved each keeps its own record.
Async<void> recognise(RunContext& context, model::RecordKind kind, std::vector<IncomingItem>& items) {
  std::vector<std::vector<store::Link>> candidates(items.size());
  std::unordered_map<std::string, bool> is_gone;
  std::vector<std::string> ids;
  auto looked_up = context.store.read<void>([&](Transaction& transaction) -> Result<void> {
    for (std::size_t i = 0; i < items.size(); ++i) {
      auto linked = is_linked(context, transaction, items[i]);
      if (!linked) return fail(std::move(linked.error()));
      if (*linked) continue;
      auto found = links_like(context, transaction, items[i].item);
      if (!found) return fail(std::move(found.error()));
      candidates[i] = std::move(*found);
      for (const store::Link& link : candidates[i])
        if (is_gone.emplace(link.remote_id, false).second) ids.push_back(link.remote_id);
    }
    return {};
  });
  if (!looked_up) co_return fail(std::move(looked_up.error()));
  if (ids.empty()) co_return Result<void>{};
  auto there = co_await context.driver.read(kind, ids, false);
  if (!there) co_return fail(std::move(there.error()));
  for (std::size_t i = 0; i < ids.size(); ++i) {
    const Result<RemoteItem>& one = (*there)[i];
    if (!one && !is_of_one_item(one.error())) co_return fail(one.error());
    is_gone[ids[i]] = !one && one.error().code == "gone";
  }
  std::unordered_set<store::LinkId> taken;
  auto chosen = context.store.read<void>([&](Transaction& transaction) -> Result<void> {
    for (std::size_t i = 0; i < items.size(); ++i) {
      IncomingItem& incoming = items[i];
      const store::Link* best = nullptr;
      const store::Link* copied = nullptr;
      for (const store::Link& link : candidates[i]) {
        if (!is_gone[link.remote_id]) {
          if (copied == nullptr) copied = &link;
        } else if (!taken.contains(link.id) &&
                   (best == nullptr || likeness(link, incoming.item) > likeness(*best, incoming.item))) {
          best = &link;
        }
      }
      if (best != nullptr) {
        taken.insert(best->id);
        auto parted = is_parted(transaction, *best);
        if (!parted) return fail(std::move(parted.error()));
        incoming.known_is_parted = *parted;
        incoming.known_is_gone = true;
        incoming.known_as = *best;
      } else if (copied != nullptr) {
        incoming.known_as = *copied;
      }
    }
    return {};
  });
  co_return chosen;
}

/// A user's copy of an item of ours loses the mark, so that it is nobody's operation any more (invariant 7).
Async<void> unmark_copies(RunContext& context, std::vector<IncomingItem>& items) {
  for (IncomingItem& incoming : items) {
    if (!incoming.known_as || incoming.known_is_gone || !incoming.item.operation_id) continue;
    if (incoming.item.kind == model::RecordKind::email) continue;  // a sent message is what it is
    const RemoteRef ref = incoming.item.ref;
    auto unmarked = co_await context.driver.unmark(ref, incoming.item.kind);
    if (unmarked)
      incoming.item.ref = std::move(*unmarked);
    else if (!is_of_one_item(unmarked.error()) && unmarked.error().code != "conflict")
      co_return fail(std::move(unmarked.error()));
    incoming.item.operation_id.reset();
    incoming.known_as.reset();
  }
  co_return Result<void>{};
}

std::size_t body_octets(const RemoteItem& item) {
  const model::FieldValue* body = item.fields.if_contains("body");
  return body != nullptr && body->is_object() ? model::text_of(body->get_object(), "value").size() : 0;
}

std::size_t attachment_octets(const RemoteItem& item) {
  std::size_t octets = 0;
  const model::FieldValue* list = item.fields.if_contains("attachments");
  if (list == nullptr || !list->is_array()) return octets;
  for (const model::FieldValue& one : list->get_array()) {
    const model::FieldValue* size = one.is_object() ? one.get_object().if_contains("size") : nullptr;
    if (size != nullptr && size->is_int64())
      octets += static_cast<std::size_t>(std::max<std::int64_t>(0, size->get_int64()));
  }
  return octets;
}

/// A page is held with its bodies until its transaction ends: the longer they are, the fewer items at once.
void learn_page_size(RunContext& context, const std::vector<IncomingItem>& items) {
  // Where pages are read ahead two are held, and the driver keeps of their messages what is asked for next.
  const bool reads_ahead = static_cast<bool>(context.surroundings.aside);
  const std::size_t bodies_of_page = (reads_ahead ? std::size_t{1} : std::size_t{2}) << 20;
  constexpr std::size_t contents_of_page = std::size_t{3} << 20;
  constexpr std::size_t smallest = 4;
  constexpr std::size_t largest = 2048;
  if (items.empty()) return;
  std::size_t bodies = 0;
  std::size_t contents = 0;
  for (const IncomingItem& incoming : items) {
    bodies += body_octets(incoming.item);
    if (reads_ahead) contents += attachment_octets(incoming.item);
  }
  const std::size_t fitting = std::min(bodies_of_page / std::max<std::size_t>(1, bodies / items.size()),
                                       contents_of_page / std::max<std::size_t>(1, contents / items.size()));
  context.page_items = std::clamp(fitting, smallest, std::min(largest, context.page_items * 4));
}

bool is_read_with_body(const RunContext& context, const RemoteFolder& folder) {
  return folder.kind != model::RecordKind::email ||
         (context.policies().mail.track == model::MailFilter::all && folder.role != FolderRole::sent &&
          !context.reading_again);
}

/// `ids`, in their order; of those in `ahead` what was read before.
Async<std::vector<Result<RemoteItem>>> read_items(RunContext& context, const RemoteFolder& folder,
                                                  const std::vector<std::string>& ids, ReadAhead ahead) {
  std::vector<Result<RemoteItem>> items;
  items.reserve(ids.size());
  std::vector<std::string> missing;
  for (const std::string& id : ids)
    if (!ahead.contains(id)) missing.push_back(id);
  std::vector<Result<RemoteItem>> read;
  if (!missing.empty()) {
    const bool with_body = is_read_with_body(context, folder);
    auto answered = co_await context.driver.read(folder.kind, std::move(missing), with_body);
    if (!answered) co_return fail(std::move(answered.error()));
    if (ahead.empty()) co_return answered;
    read = std::move(*answered);
  }
  auto next = read.begin();
  for (const std::string& id : ids) {
    const auto early = ahead.find(id);
    items.push_back(std::move(early != ahead.end() ? early->second : *next++));
  }
  co_return std::move(items);
}

/// A page's items that were read, and those that could not be.
struct ReadPage {
  std::vector<IncomingItem> items;
  std::vector<std::pair<RemoteRef, Error>> unreadable;
};

Async<ReadPage> read_page(RunContext& context, const RemoteFolder& folder, const SortedPage& work,
                          ReadAhead ahead) {
  std::vector<std::string> ids;
  ids.reserve(work.to_read.size());
  for (const RemoteRef& ref : work.to_read) ids.push_back(ref.id);
  auto answered = co_await read_items(context, folder, ids, std::move(ahead));
  if (!answered) co_return fail(std::move(answered.error()));
  std::vector<Result<RemoteItem>> read = std::move(*answered);
  ReadPage page;
  page.items.reserve(read.size());
  for (std::size_t i = 0; i < read.size(); ++i) {
    if (read[i]) {
      page.items.push_back({.item = std::move(*read[i])});
      if (page.items.back().item.ref.id == ids[i]) page.items.back().linked = work.linked[i];
    } else {
      if (read[i].error().code == "gone") continue;  // deleted meanwhile: the next page says so
      if (!is_of_one_item(read[i].error())) co_return fail(std::move(read[i].error()));
      page.unreadable.emplace_back(work.to_read[i], std::move(read[i].error()));
    }
  }
  co_return std::move(page);
}

/// What is decided before the transaction, and fetched.
Async<void> prepare(RunContext& context, const RemoteFolder& folder, std::vector<IncomingItem>& items) {
  auto recognised = co_await recognise(context, folder.kind, items);
  if (!recognised) co_return recognised;
  if (folder.kind == model::RecordKind::email) co_return co_await prepare_messages(context, folder, items);
  auto unmarked = co_await unmark_copies(context, items);
  if (!unmarked) co_return unmarked;
  co_return co_await prepare_files(context, items);
}

/// All of a page in one transaction, with the cursor that covers it (invariant 1).
Result<void> put_page(RunContext& context, Transaction& transaction, const RemoteFolder& folder,
                      SortedPage& work, ReadPage& page, const std::optional<store::Cursor>& cursor) {
  for (const auto& [ref, error] : page.unreadable)
    if (auto done = quarantine(context, transaction, folder, ref, error); !done) return done;
  for (IncomingItem& incoming : page.items) {
    auto done = folder.kind == model::RecordKind::email ? put_message(context, transaction, folder, incoming)
                                                        : put_act(context, transaction, folder, incoming);
    if (!done) return done;
  }
  for (auto& [link, is_read] : work.read_flags)
    if (auto done = put_read_flag(transaction, link, is_read); !done) return done;
  for (const store::Link& link : work.gone)
    if (auto done = hold_delete(context, transaction, link); !done) return done;
  if (auto done = keep_touched(context, transaction); !done) return done;
  return cursor ? store::put_cursor(transaction, *cursor) : Result<void>{};
}

/// `first` begins before `second`. The error of the second one tells more.
Async<void> both(Async<void> first, Async<void> second) {
  using namespace boost::asio::experimental::awaitable_operators;
  auto two = std::move(first) && std::move(second);
  auto [one, other] = co_await std::move(two);
  co_return other ? std::move(one) : std::move(other);
}

/// `meanwhile` begins as early as the driver allows.
Async<void> take(RunContext& context, const RemoteFolder& folder, SortedPage work,
                 std::optional<store::Cursor> cursor, ReadAhead ahead = {},
                 std::function<Async<void>()> meanwhile = {}) {
  auto read = co_await read_page(context, folder, work, std::move(ahead));
  if (!read) co_return fail(std::move(read.error()));
  ReadPage page = std::move(*read);
  learn_page_size(context, page.items);
  const auto put = [&](Transaction& transaction) {
    return put_page(context, transaction, folder, work, page, cursor);
  };
  const auto commit = [&]() -> Result<void> {
    if (auto durable = context.arriving.commit(); !durable) return durable;
    return context.store.write<void>(put);
  };
  const auto prepare_and_commit = [&]() -> Async<void> {
    auto prepared = co_await prepare(context, folder, page.items);
    if (!prepared) co_return prepared;
    if (!context.surroundings.aside) co_return commit();
    co_return co_await context.surroundings.aside(commit);
  };
  if (!context.surroundings.aside || !meanwhile) co_return co_await prepare_and_commit();
  if (context.driver.reads_beside()) {
    auto other = meanwhile();
    auto own = prepare_and_commit();
    co_return co_await both(std::move(other), std::move(own));
  }
  auto prepared = co_await prepare(context, folder, page.items);
  if (!prepared) co_return prepared;
  auto other = meanwhile();
  auto own = context.surroundings.aside(commit);
  co_return co_await both(std::move(other), std::move(own));
}

}  // namespace

bool is_of_one_item(const Error& error) {
  return error.retry == RetryClass::quarantine || error.retry == RetryClass::never || error.code == "gone";
}

Async<Result<store::StoredContent>> keep_attachment(RunContext& context, std::string attachment_id,
                                                    std::uint64_t most_octets) {
  auto writer = context.content.create();
  if (!writer) co_return fail(std::move(writer.error()));
  StoreSink sink(*writer);
  auto fetched = co_await context.driver.fetch_attachment(std::move(attachment_id), sink, most_octets);
  if (!fetched) {
    if (!is_of_one_item(fetched.error()) && fetched.error().code != "too-large")
      co_return fail(std::move(fetched.error()));
    co_return Result<store::StoredContent>(fail(std::move(fetched.error())));
  }
  auto stored = context.arriving.add(std::move(*writer));
  if (!stored) co_return fail(std::move(stored.error()));
  co_return Result<store::StoredContent>(std::move(*stored));
}

Result<std::optional<store::Link>> link_of(RunContext& context, Transaction& transaction,
                                           const IncomingItem& incoming) {
  if (incoming.linked && !*incoming.linked) return std::nullopt;
  return store::find_link(transaction, context.settings.mailbox, incoming.item.ref.id);
}

Result<void> keep_parted(Transaction& transaction, const RemoteFolder& folder, const IncomingItem& incoming) {
  store::Link there = *incoming.known_as;
  there.folder = folder.id;
  there.remote_id = incoming.item.ref.id;
  there.remote_version = incoming.item.ref.version;
  return store::update_link(transaction, there);
}

Result<bool> is_linked(RunContext& context, Transaction& transaction, const IncomingItem& incoming) {
  if (incoming.linked) return *incoming.linked;
  auto link = link_of(context, transaction, incoming);
  if (!link) return fail(std::move(link.error()));
  return link->has_value();
}

Async<ReadAhead> read_ahead(RunContext& context, const RemoteFolder& folder, const FeedPage& page,
                            bool is_first_reading) {
  std::vector<std::string> ids;
  auto chosen = context.store.read<void>([&](Transaction& transaction) -> Result<void> {
    for (const FeedEntry* entry : last_of_each(page)) {
      if (entry->what != FeedEntry::What::changed) continue;
      if (is_first_reading) {
        ids.push_back(entry->item.id);
        continue;
      }
      auto link = store::find_link(transaction, context.settings.mailbox, entry->item.id);
      if (!link) return fail(std::move(link.error()));
      if (*link) continue;
      auto quarantined = store::find_quarantined(transaction, context.settings.mailbox, entry->item.id);
      if (!quarantined) return fail(std::move(quarantined.error()));
      if (!*quarantined) ids.push_back(entry->item.id);
    }
    return {};
  });
  if (!chosen) co_return fail(std::move(chosen.error()));
  ReadAhead ahead;
  if (ids.empty()) co_return ahead;
  const bool with_body = is_read_with_body(context, folder);
  auto read = co_await context.driver.read(folder.kind, ids, with_body);
  if (!read) co_return fail(std::move(read.error()));
  ahead.reserve(ids.size());
  for (std::size_t i = 0; i < ids.size(); ++i) ahead.emplace(std::move(ids[i]), std::move((*read)[i]));
  co_return ahead;
}

Async<void> take_page(RunContext& context, const RemoteFolder& folder, const FeedPage& page,
                      const store::Cursor& cursor, ReadAhead ahead, std::function<Async<void>()> meanwhile) {
  auto sorted = sort_page(context, page);
  if (!sorted) co_return fail(std::move(sorted.error()));
  ++context.summary.pages;
  SortedPage work = std::move(*sorted);
  std::optional<store::Cursor> with = cursor;
  co_return co_await take(context, folder, std::move(work), std::move(with), std::move(ahead),
                          std::move(meanwhile));
}

Async<void> take_items(RunContext& context, const RemoteFolder& folder, std::vector<RemoteRef> items,
                       std::optional<store::Cursor> cursor) {
  FeedPage page;
  for (RemoteRef& item : items)
    page.entries.push_back({.what = FeedEntry::What::changed, .item = std::move(item)});
  auto sorted = sort_page(context, page);
  if (!sorted) co_return fail(std::move(sorted.error()));
  SortedPage work = std::move(*sorted);
  co_return co_await take(context, folder, std::move(work), std::move(cursor));
}

Async<void> look_again(RunContext& context, std::vector<store::LinkId> links) {
  // By folder, because that is how items are read and filed.
  struct Items {
    RemoteFolder folder;
    std::vector<RemoteRef> refs = {};
    std::vector<store::LinkId> links = {};
  };
  std::map<std::string, Items> by_folder;
  auto found = context.store.read<void>([&](Transaction& transaction) -> Result<void> {
    for (const store::LinkId id : links) {
      auto link = store::find_link(transaction, id);
      if (!link) return fail(std::move(link.error()));
      if (!*link || (*link)->state == store::LinkState::unlinked) {
        context.touched_links.erase(id);
        continue;
      }
      const RemoteFolder* known = context.folder((*link)->folder);
      const RemoteFolder where =
          known == nullptr ? RemoteFolder{.id = (*link)->folder, .kind = (*link)->kind} : *known;
      Items& items = by_folder.try_emplace((*link)->folder, Items{.folder = where}).first->second;
      items.refs.push_back({.id = (*link)->remote_id});
      items.links.push_back(id);
    }
    return {};
  });
  if (!found) co_return fail(std::move(found.error()));
  for (auto& [_, items] : by_folder) {
    for (std::size_t next = 0; next < items.refs.size();) {
      const std::size_t end = next + std::min(items.refs.size() - next, context.page_items);
      SortedPage work;
      for (; next < end; ++next) {
        work.to_read.push_back(std::move(items.refs[next]));
        context.touched_links.erase(items.links[next]);  // for good with the transaction of what is read
      }
      work.linked.assign(work.to_read.size(), true);
      std::optional<store::Cursor> none;
      auto taken = co_await take(context, items.folder, std::move(work), std::move(none));
      if (!taken) co_return taken;
    }
  }
  if (!by_folder.empty()) co_return Result<void>{};
  auto kept = context.store.write<void>(
      [&](Transaction& transaction) -> Result<void> { return keep_touched(context, transaction); });
  co_return kept;
}

}  // namespace syncline::sync
