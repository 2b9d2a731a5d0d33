// SPDX-License-Identifier: GPL-3.0-or-later
// SyncFolderItems, FindItem, GetItem.
#include <algorithm>
#include <set>

#include "base/text.hpp"
#include "tools/exchange-sim/exchange/operations.hpp"
#include "tools/exchange-sim/exchange/recurrence.hpp"
#include "tools/exchange-sim/exchange/restriction.hpp"
#include "tools/exchange-sim/exchange/shape.hpp"

namespace exchange_sim {
namespace {

using syncline::Result;

syncline::unexpected<syncline::Error> schema(std::string what) {
  return refuse("ErrorSchemaValidation", std::move(what));
}

constexpr std::string_view kNoChanges =
    "<m:SyncState></m:SyncState><m:IncludesLastItemInRange>true</m:IncludesLastItemInRange>";

/// The error that reading this item answers, if it was made unreadable.
std::optional<syncline::Error> unreadable(const Context& context, const ItemRef& ref, const Shape& shape) {
  if (context.mailbox.unreadable.empty() || shape.id_only()) return std::nullopt;
  const auto at = context.mailbox.unreadable.find(ref.item->number);
  if (at == context.mailbox.unreadable.end()) return std::nullopt;
  if (at->second.second && !shape.fields.test(f_mime_content)) return std::nullopt;
  return refuse(at->second.first, "The item could not be read.").value();
}

void write_delete(std::string& out, const Mailbox& mailbox, std::uint32_t number) {
  out += "<t:Delete><t:ItemId Id=\"";
  out += encode_id({IdType::item, mailbox.guid, number, 0, {}});
  out += "\"/></t:Delete>";
}

struct Page {
  std::size_t offset = 0;
  std::size_t limit = 0;
  bool from_end = false;
};

Result<Page> read_page(const Element& request, std::size_t cap) {
  Page page{0, cap, false};
  const Element* view = request.child("IndexedPageItemView");
  if (view == nullptr) view = request.child("FractionalPageItemView");
  if (view == nullptr) view = request.child("ContactsView");
  if (view == nullptr) return page;
  if (const std::string* text = view->attribute("MaxEntriesReturned")) {
    const auto asked = syncline::text::parse_int(*text);
    if (!asked || *asked < 1) return refuse("ErrorInvalidPagingMaxRows", "The page size must be positive.");
    page.limit = std::min<std::size_t>(cap, static_cast<std::size_t>(*asked));
  }
  const auto offset = syncline::text::parse_int(view->attribute_or("Offset", "0"));
  if (!offset || *offset < 0)
    return refuse("ErrorInvalidIndexedPagingParameters", "The offset must not be negative.");
  page.offset = static_cast<std::size_t>(*offset);
  page.from_end = view->attribute_or("BasePoint", "Beginning") == "End";
  return page;
}

struct SortKey {
  Path path;
  bool descending = false;
};

Result<void> calendar_view(Context& context, Response& response, const Folder& folder, const Element& view,
                           const Shape& shape) {
  const auto fail_with = [&](const char* code, const char* text) -> Result<void> {
    response.error(refuse(code, text).value());
    return {};
  };
  if (!folder.folder_class.starts_with("IPF.Appointment"))
    return fail_with("ErrorCalendarFolderIsInvalidForCalendarView",
                     "A calendar view needs a calendar folder.");
  auto from = read_time(context, view.attribute_or("StartDate", ""));
  auto to = read_time(context, view.attribute_or("EndDate", ""));
  if (!from || !to) return schema("StartDate or EndDate of CalendarView");
  if (*to < *from)
    return fail_with("ErrorCalendarEndDateIsEarlierThanStartDate", "EndDate is earlier than StartDate.");
  if (*to - *from > static_cast<Seconds>(context.store.limits().calendar_view_days) * kDaySeconds)
    return fail_with("ErrorCalendarViewRangeTooBig", "The view's range must be shorter than two years.");
  std::size_t limit = context.store.limits().find_count;
  if (const std::string* text = view.attribute("MaxEntriesReturned")) {
    const auto asked = syncline::text::parse_int(*text);
    if (!asked || *asked < 1)
      return fail_with("ErrorInvalidPagingMaxRows", "The page size must be positive.");
    limit = std::min<std::size_t>(limit, static_cast<std::size_t>(*asked));
  }
  std::vector<std::pair<Seconds, ItemRef>> found;
  const auto consider = [&](const ItemRef& ref) {
    const Seconds start = start_of(ref);
    const Seconds end = end_of(ref);
    // An event without length is seen at its instant.
    if (start < *to && (end > *from || (start == end && start >= *from))) found.emplace_back(start, ref);
  };
  for (const std::uint32_t number : folder.items) {
    Item& item = *context.mailbox.item(number);
    if (item.kind != ItemKind::calendar_item) continue;
    const ItemRef ref{&context.mailbox, &item, std::nullopt};
    const auto series = series_of(item);
    if (!series) {
      consider(ref);
      continue;
    }
    // A moved day may come into view from anywhere; the others from within their length of it.
    walk(*series, day_of_seconds(*to) + 1, [&](Day day, std::size_t) {
      const ItemRef one{&context.mailbox, &item, day};
      const Occurrence* o = one.occurrence();
      if (o == nullptr) consider(one);
      return true;
    });
    if (item.occurrences)
      for (const auto& [day, o] : *item.occurrences)
        if (!o.deleted) consider({&context.mailbox, &item, day});
  }
  std::stable_sort(found.begin(), found.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  const std::size_t last = std::min(limit, found.size());
  std::string& out = response.begin();
  out += "<m:RootFolder TotalItemsInView=\"" + std::to_string(found.size()) +
         "\" IncludesLastItemInRange=\"" + (last == found.size() ? "true" : "false") + "\"><t:Items>";
  for (std::size_t i = 0; i < last; ++i) write_item(out, context, found[i].second, shape);
  out += "</t:Items></m:RootFolder>";
  response.end();
  return {};
}

}  // namespace

OperationResult sync_folder_items(Context& context, const Element& request) {
  Response response("SyncFolderItems");
  const Element* folder_id = request.child("SyncFolderId");
  if (folder_id == nullptr || folder_id->children.empty()) return schema("SyncFolderId is missing");
  // Unlike FindItem, it gives whatever is asked for: one more call to the store for each property.
  auto shape = read_shape(context, request.child("ItemShape"), false);
  if (!shape) return syncline::fail(std::move(shape.error()));
  const auto asked = syncline::text::parse_int(request.child_text("MaxChangesReturned"));
  const auto cap = static_cast<std::int64_t>(context.store.limits().sync_changes);
  if (!asked || *asked < 1 || *asked > 512) return schema("MaxChangesReturned must be between 1 and 512");
  const auto limit = static_cast<std::size_t>(std::min(*asked, cap));
  auto found = find_folder(context, folder_id->children.front());
  if (!found) {
    syncline::Error error = found.error();
    if (error.code == "ErrorFolderNotFound") error.code = "ErrorSyncFolderNotFound";
    response.error(error, kNoChanges);
    return response.take();
  }
  const Folder& folder = *found->folder;
  Mailbox& mailbox = context.mailbox;
  if (folder.is_public) {
    response.error(
        refuse("ErrorInvalidFolderTypeForOperation", "The operation is not supported for public folders.")
            .value(),
        kNoChanges);
    return response.take();
  }
  SyncState state{mailbox.guid, folder.number, folder.epoch, 0, 0, 0, false, false};
  if (const std::string_view given = request.child_text("SyncState"); !given.empty()) {
    const auto read = decode_sync_state(given);
    if (!read || read->hierarchy || read->mailbox != mailbox.guid || read->folder != folder.number ||
        read->epoch != folder.epoch || read->from > mailbox.sequence || read->cursor > folder.log.size()) {
      response.error(
          refuse("ErrorInvalidSyncStateData", "Synchronization state data is corrupt or otherwise invalid.")
              .value(),
          kNoChanges);
      return response.take();
    }
    state = *read;
  }
  std::set<std::uint32_t> ignored;
  if (const Element* ignore = request.child("Ignore"))
    for (const Element& id : ignore->children)
      if (const auto decoded = decode_id(id.attribute_or("Id", "")); decoded && decoded->type == IdType::item)
        ignored.insert(decoded->number);
  if (!state.in_round) {
    state.in_round = true;
    state.to = mailbox.sequence;
    state.cursor = folder.log.size();
  }
  std::string changes;
  changes.reserve(limit * 300);
  std::size_t count = 0;
  std::size_t at = state.cursor;
  const auto change = [&](std::string_view what, const ItemRef& ref) {
    changes += "<t:";
    changes += what;
    changes += '>';
    if (what == "ReadFlagChange") {
      append_item_id(changes, context.store, ref);
      append_text_element(changes, "IsRead", ref.item->is_read ? "true" : "false");
    } else {
      write_item(changes, context, ref, *shape);
    }
    changes += "</t:";
    changes += what;
    changes += '>';
    ++count;
  };
  // Back in time through the log: of each item only its last entry up to the round's end counts.
  while (at > 0 && count < limit) {
    const FolderChange& entry = folder.log[at - 1];
    if (entry.sequence <= state.from) {
      at = 0;
      break;
    }
    --at;
    if (entry.sequence > state.to || ignored.contains(entry.item)) continue;
    if (entry.what == FolderChange::What::removed) {
      if (entry.created_at <= state.from) {
        write_delete(changes, mailbox, entry.item);
        ++count;
      }
      continue;
    }
    Item* item = mailbox.item(entry.item);
    if (item == nullptr || item->folder != folder.number) continue;
    const ItemRef ref{&mailbox, item, std::nullopt};
    const std::uint64_t last = std::max({item->created_at, item->changed_at, item->read_at});
    if (item->created_at > state.from) {
      // New in this round: once, at its last entry of the round; changed since then, it comes at its first.
      if (entry.sequence == last || (last > state.to && entry.what == FolderChange::What::created))
        change("Create", ref);
      continue;
    }
    if (entry.what == FolderChange::What::changed && entry.sequence == item->changed_at) {
      change("Update", ref);
    } else if (entry.what == FolderChange::What::read && entry.sequence == item->read_at &&
               item->changed_at <= state.from) {
      change("ReadFlagChange", ref);
    }
  }
  // What is left of the log may hold nothing of this round: look, so that the last page says it is the last.
  const bool complete = at == 0 || folder.log[at - 1].sequence <= state.from;
  if (complete) {
    state.from = state.to;
    state.to = state.cursor = 0;
    state.in_round = false;
  } else {
    state.cursor = at;
  }
  std::string& out = response.begin();
  out += "<m:SyncState>" + encode_sync_state(state) + "</m:SyncState><m:IncludesLastItemInRange>" +
         (complete ? "true" : "false") + "</m:IncludesLastItemInRange><m:Changes>";
  out += changes;
  out += "</m:Changes>";
  response.end();
  return response.take();
}

OperationResult find_items(Context& context, const Element& request) {
  const Element* parents = request.child("ParentFolderIds");
  if (parents == nullptr) return schema("ParentFolderIds is missing");
  Response response("FindItem");
  const auto refuse_all = [&](const syncline::Error& error) -> OperationResult {
    for (std::size_t i = 0; i < parents->children.size(); ++i) response.error(error);
    return response.take();
  };
  auto shape = read_shape(context, request.child("ItemShape"), true);
  if (!shape) return refuse_all(shape.error());
  if (request.child("GroupBy") != nullptr || request.child("DistinguishedGroupBy") != nullptr)
    return refuse_all(refuse("ErrorUnsupportedPathForSortGroup", "Grouping is not supported.").value());
  const std::string_view traversal = request.attribute_or("Traversal", "Shallow");
  std::optional<Restriction> restriction;
  if (const Element* element = request.child("Restriction")) {
    auto read = Restriction::read(context, *element);
    if (!read) return refuse_all(read.error());
    restriction = std::move(*read);
  }
  const std::string query(request.child_text("QueryString"));
  const bool narrowed = restriction.has_value() || !query.empty();
  auto page = read_page(
      request, narrowed ? context.store.limits().find_count_restricted : context.store.limits().find_count);
  if (!page) return refuse_all(page.error());
  std::vector<SortKey> sort;
  if (const Element* order = request.child("SortOrder")) {
    for (const Element& key : order->children) {
      if (key.children.empty()) return schema("FieldOrder without a path");
      auto path = read_path(context, key.children.front());
      if (!path) return refuse_all(path.error());
      sort.push_back({std::move(*path), key.attribute_or("Order", "Ascending") == "Descending"});
    }
  }
  const Element* view = request.child("CalendarView");
  for (const Element& id : parents->children) {
    auto found = find_folder(context, id);
    if (!found) {
      response.error(found.error());
      continue;
    }
    const Folder& folder = *found->folder;
    if (view != nullptr) {
      if (narrowed || !sort.empty()) {
        response.error(
            refuse("ErrorUnsupportedQueryFilter", "A calendar view takes no restriction and no order.")
                .value());
        continue;
      }
      if (auto done = calendar_view(context, response, folder, *view, *shape); !done)
        return syncline::fail(std::move(done.error()));
      continue;
    }
    std::vector<std::uint32_t> chosen;
    const std::vector<std::uint32_t>* numbers = &folder.items;
    static const std::vector<std::uint32_t> kNone;
    if (traversal == "SoftDeleted" || traversal == "Associated") numbers = &kNone;
    const bool plain = !narrowed && sort.empty();
    if (!plain) {
      const std::string query_lower = syncline::text::to_lower_ascii(query);
      for (auto at = numbers->rbegin(); at != numbers->rend(); ++at) {
        const ItemRef ref{&context.mailbox, context.mailbox.item(*at), std::nullopt};
        if (restriction && !restriction->matches(values_of(context, ref))) continue;
        if (!query.empty() &&
            syncline::text::to_lower_ascii(ref.get(f_subject)).find(query_lower) == std::string::npos)
          continue;
        chosen.push_back(*at);
      }
      if (!sort.empty()) {
        std::vector<std::pair<std::vector<std::optional<std::string>>, std::uint32_t>> keyed;
        keyed.reserve(chosen.size());
        for (const std::uint32_t number : chosen) {
          const Values values =
              values_of(context, {&context.mailbox, context.mailbox.item(number), std::nullopt});
          std::vector<std::optional<std::string>> keys;
          for (const SortKey& key : sort) keys.push_back(values(key.path));
          keyed.emplace_back(std::move(keys), number);
        }
        std::stable_sort(keyed.begin(), keyed.end(), [&](const auto& a, const auto& b) {
          for (std::size_t i = 0; i < sort.size(); ++i) {
            const auto& x = a.first[i];
            const auto& y = b.first[i];
            const int order = x && y ? compare_values(*x, *y)
                                     : static_cast<int>(x.has_value()) - static_cast<int>(y.has_value());
            if (order != 0) return sort[i].descending ? order > 0 : order < 0;
          }
          return false;
        });
        for (std::size_t i = 0; i < keyed.size(); ++i) chosen[i] = keyed[i].second;
      }
    }
    // Without an order, the newest come first.
    const std::size_t total = plain ? numbers->size() : chosen.size();
    const std::size_t first = std::min(page->offset, total);
    const std::size_t last = std::min(total, first + page->limit);
    std::string& out = response.begin();
    out.reserve(out.size() + (last - first) * 300);
    out += "<m:RootFolder IndexedPagingOffset=\"" + std::to_string(last) + "\" TotalItemsInView=\"" +
           std::to_string(total) + "\" IncludesLastItemInRange=\"" + (last == total ? "true" : "false") +
           "\"><t:Items>";
    for (std::size_t i = first; i < last; ++i) {
      const std::size_t place = page->from_end ? total - 1 - i : i;
      const std::uint32_t number = plain ? (*numbers)[total - 1 - place] : chosen[place];
      write_item(out, context, {&context.mailbox, context.mailbox.item(number), std::nullopt}, *shape);
    }
    out += "</t:Items></m:RootFolder>";
    response.end();
  }
  return response.take();
}

OperationResult get_item(Context& context, const Element& request) {
  const Element* ids = request.child("ItemIds");
  if (ids == nullptr) return schema("ItemIds is missing");
  if (ids->children.size() > context.store.limits().batch)
    return refuse("ErrorInvalidRequest", "Too many ids.");
  Response response("GetItem");
  auto shape = read_shape(context, request.child("ItemShape"), false);
  for (const Element& id : ids->children) {
    if (!shape) {
      response.error(shape.error(), "<m:Items/>");
      continue;
    }
    auto ref = find_item(context, id);
    if (!ref) {
      response.error(ref.error(), "<m:Items/>");
      continue;
    }
    if (const auto error = unreadable(context, *ref, *shape)) {
      response.error(*error, "<m:Items/>");
      continue;
    }
    context.store.count_read();
    std::string& out = response.begin();
    out += "<m:Items>";
    write_item(out, context, *ref, *shape);
    out += "</m:Items>";
    response.end();
  }
  return response.take();
}

}  // namespace exchange_sim
