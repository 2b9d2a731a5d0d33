// SPDX-License-Identifier: GPL-3.0-or-later
#include "ews/driver/claim.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include "ews/driver/marks.hpp"
#include "ews/types/requests.hpp"
#include "time/civil.hpp"

namespace syncline::ews {
namespace {

constexpr const char* folder_title = "Syncline Claim";
/// How often somebody else may have been faster before this is given up for now.
constexpr unsigned most_attempts = 4;

ExtendedFieldUri property(const char* name) {
  return {.property_set_id = operation_mark().property_set_id,
          .property_name = name,
          .property_type = MapiPropertyType::string};
}

constexpr const char* claim_properties[] = {"SynclineClaimOwner", "SynclineClaimOwnerName",
                                            "SynclineClaimSince", "SynclineClaimRenewed"};

/// What a folder or an item says of its owner.
struct Deed {
  std::string owner_id = {};
  std::string owner_name = {};
  std::string since = {};
  std::string renewed = {};

  std::string& at(std::size_t index) {
    std::string* const parts[] = {&owner_id, &owner_name, &since, &renewed};
    return *parts[index];
  }
};

std::optional<SystemTime> time_of(const std::string& text) {
  const DateTime read = DateTime::parse(text);
  if (!read.unix_ms()) return std::nullopt;
  return SystemTime(std::chrono::milliseconds(*read.unix_ms()));
}

std::vector<ExtendedProperty> properties_of(Deed deed) {
  std::vector<ExtendedProperty> made;
  for (std::size_t i = 0; i < std::size(claim_properties); ++i)
    made.push_back({.uri = property(claim_properties[i]), .values = {std::move(deed.at(i))}});
  return made;
}

Deed deed_of(std::vector<ExtendedProperty> properties) {
  Item holder;
  holder.extended_properties = std::move(properties);
  Deed deed;
  for (std::size_t i = 0; i < std::size(claim_properties); ++i)
    deed.at(i) = std::string(value_of(holder, property(claim_properties[i])).value_or(""));
  return deed;
}

std::vector<PropertyPath> claim_paths() {
  std::vector<PropertyPath> paths;
  for (const char* name : claim_properties) paths.emplace_back(property(name));
  return paths;
}

sync::Claim claim_of(const Deed& deed, std::string_view organisation_id) {
  return {.ours = deed.owner_id == organisation_id,
          .owner_id = deed.owner_id,
          .owner_name = deed.owner_name,
          .since = time_of(deed.since)};
}

std::string name_of(const Deed& deed) {
  return (deed.owner_name.empty() ? std::string("an organisation without name") : deed.owner_name) + " (" +
         deed.owner_id + ")";
}

struct Place {
  FolderId folder;
  Deed deed;  ///< of whoever made it
};

/// nullopt: there is none.
Async<std::optional<Place>> find_place(EwsClient& client, const DriverState& state) {
  std::optional<Place> place;
  FindFolderRequest request{.shape = {.base = BaseShape::id_only, .additional = claim_paths()},
                            .traversal = FolderTraversal::shallow,
                            .parents = {state.distinguished("root")}};
  request.restriction = Restriction{Comparison{.op = ComparisonOperator::is_equal_to,
                                               .path = FieldUri{"folder:DisplayName"},
                                               .operand = std::string(folder_title)}};
  auto folders = co_await find_folders(client, std::move(request));
  if (!folders) co_return fail(std::move(folders.error()));
  for (Folder& folder : *folders) {
    if (!folder.folder_id) continue;
    place = Place{.folder = *folder.folder_id, .deed = deed_of(std::move(folder.extended_properties))};
    break;
  }
  co_return place;
}

/// True: made by us. False: somebody was faster.
Async<bool> make_place(EwsClient& client, const DriverState& state, Deed deed) {
  Folder folder{.folder_class = "IPF.Note", .display_name = folder_title};
  folder.extended_properties = properties_of(std::move(deed));
  CreateFolderRequest request{.parent = state.distinguished("root"), .folders = {std::move(folder)}};
  auto reply = co_await client.call(std::move(request));
  if (!reply) co_return fail(std::move(reply.error()));
  if (auto complete = reply->expect(1); !complete) co_return fail(std::move(complete.error()));
  auto made = std::move(reply->messages.front()).result();
  if (made) co_return true;
  if (made.error().code == "ErrorFolderExists") co_return false;
  co_return fail(std::move(made.error()));
}

struct Entry {
  ItemId item;
  Deed deed;
};

/// The oldest item: one that came later by a lost race counts for nothing.
Async<std::optional<Entry>> read_entry(EwsClient& client, FolderId folder) {
  std::optional<Entry> entry;
  FindItemRequest request{.shape = {.base = BaseShape::id_only, .additional = claim_paths()},
                          .parents = {std::move(folder)}};
  request.sort.push_back({.path = FieldUri{"item:DateTimeCreated"}, .direction = SortDirection::ascending});
  std::function<Result<void>(std::vector<Item>)> take = [&entry](std::vector<Item> items) -> Result<void> {
    for (Item& item : items) {
      if (entry || !item.item_id) continue;
      Deed deed = deed_of(std::move(item.extended_properties));
      if (!deed.owner_id.empty()) entry = Entry{.item = *item.item_id, .deed = std::move(deed)};
    }
    return {};
  };
  auto found = co_await find_items(client, std::move(request), std::move(take));
  if (!found) co_return fail(std::move(found.error()));
  co_return entry;
}

Async<Nothing> make_entry(EwsClient& client, FolderId folder, Deed deed) {
  Item item{.kind = ItemKind::message};
  item.subject = "Synchronised by " + deed.owner_name;
  item.extended_properties = properties_of(std::move(deed));
  CreateItemRequest request{.saved_item_folder = std::move(folder), .items = {}};
  request.message_disposition = MessageDisposition::save_only;
  request.items.emplace_back(std::move(item));
  auto reply = co_await client.call(std::move(request));
  if (!reply) co_return fail(std::move(reply.error()));
  if (auto complete = reply->expect(1); !complete) co_return fail(std::move(complete.error()));
  auto made = std::move(reply->messages.front()).result();
  if (!made) co_return fail(std::move(made.error()));
  co_return Nothing{};
}

/// False: the item changed since it was read.
Async<bool> write_entry(EwsClient& client, ItemId item, Deed deed) {
  ItemChange change{.id = std::move(item), .updates = {}};
  for (ExtendedProperty& one : properties_of(std::move(deed))) {
    Item value{.kind = ItemKind::message};
    PropertyPath path = one.uri;
    value.extended_properties.push_back(std::move(one));
    change.updates.emplace_back(SetItemField{.path = std::move(path), .item = std::move(value)});
  }
  UpdateItemRequest request{.changes = {}};
  request.changes.push_back(std::move(change));
  request.message_disposition = MessageDisposition::save_only;
  auto reply = co_await client.call(std::move(request));
  if (!reply) co_return fail(std::move(reply.error()));
  if (auto complete = reply->expect(1); !complete) co_return fail(std::move(complete.error()));
  auto written = std::move(reply->messages.front()).result();
  if (written) co_return true;
  const std::string& code = written.error().code;
  if (code == "ErrorIrresolvableConflict" || code == "ErrorStaleObject" || code == "ErrorItemNotFound")
    co_return false;
  co_return fail(std::move(written.error()));
}

/// Nobody's, or whoever held it has not been seen for the length of a lease.
bool is_free(const Deed& holder, SystemTime now, const DriverState& state) {
  const auto renewed = time_of(holder.renewed);
  return holder.owner_id.empty() || !renewed || now - *renewed >= state.settings.claim_lease;
}

}  // namespace

Async<sync::Claim> look_at_claim(EwsClient& client, const DriverState& state, std::string organisation_id,
                                 bool take_over) {
  auto place = co_await find_place(client, state);
  if (!place) co_return fail(std::move(place.error()));
  Deed holder;
  if (*place) {
    auto entry = co_await read_entry(client, (*place)->folder);
    if (!entry) co_return fail(std::move(entry.error()));
    holder = *entry ? (*entry)->deed : (*place)->deed;
  }
  sync::Claim claim = claim_of(holder, organisation_id);
  if (!claim.ours && (take_over || is_free(holder, client.environment().clock.now(), state))) {
    claim.ours = true;
    if (!holder.owner_id.empty()) claim.taken_from = name_of(holder);
  }
  co_return claim;
}

Async<sync::Claim> claim_mailbox(EwsClient& client, const DriverState& state, std::string organisation_id,
                                 std::string organisation_name, bool take_over) {
  for (unsigned attempt = 0; attempt < most_attempts; ++attempt) {
    const SystemTime now = client.environment().clock.now();
    const std::string now_text = time::format_utc(std::chrono::floor<std::chrono::seconds>(now));
    const Deed ours{
        .owner_id = organisation_id, .owner_name = organisation_name, .since = now_text, .renewed = now_text};
    auto place = co_await find_place(client, state);
    if (!place) co_return fail(std::move(place.error()));
    if (!*place) {
      Deed deed = ours;
      auto made = co_await make_place(client, state, std::move(deed));
      if (!made) co_return fail(std::move(made.error()));
      continue;  // whoever made it: what is in it now?
    }
    auto entry = co_await read_entry(client, (*place)->folder);
    if (!entry) co_return fail(std::move(entry.error()));
    // Without an item, the folder's maker is on the way to it, or died there.
    const Deed& holder = *entry ? (*entry)->deed : (*place)->deed;
    const bool is_ours = holder.owner_id == organisation_id;
    const auto renewed = time_of(holder.renewed);
    if (!is_ours && !is_free(holder, now, state) && !take_over) co_return claim_of(holder, organisation_id);

    if (!*entry) {
      Deed deed = ours;
      auto made = co_await make_entry(client, (*place)->folder, std::move(deed));
      if (!made) co_return fail(std::move(made.error()));
      continue;  // another one's item may be older than ours
    }
    const bool is_fresh = renewed && now >= *renewed && now - *renewed < state.settings.claim_lease / 8 &&
                          holder.owner_name == organisation_name;
    if (is_ours && is_fresh) co_return claim_of(holder, organisation_id);
    Deed deed = ours;
    if (is_ours && !holder.since.empty()) deed.since = holder.since;
    sync::Claim claimed = claim_of(deed, organisation_id);
    if (!is_ours && !holder.owner_id.empty()) claimed.taken_from = name_of(holder);
    auto written = co_await write_entry(client, (*entry)->item, std::move(deed));
    if (!written) co_return fail(std::move(written.error()));
    if (*written) co_return claimed;
  }
  co_return fail(ErrorDomain::ews, "claim-contended",
                 "other organisations claim the mailbox at the same time", RetryClass::after);
}

}  // namespace syncline::ews
