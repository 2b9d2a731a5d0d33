// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// One function for each EWS operation: the Body's child in, the reply's Body child out. Errors of single
// items are in the reply; an error returned concerns the whole request and becomes a fault.
#include <string>

#include "base/error.hpp"
#include "tools/exchange-sim/exchange/context.hpp"

namespace exchange_sim {

using OperationResult = syncline::Result<std::string>;

OperationResult get_folder(Context& context, const Element& request);
OperationResult find_folders(Context& context, const Element& request);
OperationResult create_folder(Context& context, const Element& request);
OperationResult update_folder(Context& context, const Element& request);
OperationResult delete_folder(Context& context, const Element& request);
OperationResult empty_folder(Context& context, const Element& request);
OperationResult move_folder(Context& context, const Element& request);
OperationResult mark_all_items_as_read(Context& context, const Element& request);
OperationResult sync_folder_hierarchy(Context& context, const Element& request);

OperationResult sync_folder_items(Context& context, const Element& request);
OperationResult find_items(Context& context, const Element& request);
OperationResult get_item(Context& context, const Element& request);
OperationResult create_item(Context& context, const Element& request);
OperationResult update_item(Context& context, const Element& request);
OperationResult delete_item(Context& context, const Element& request);
OperationResult move_or_copy_item(Context& context, const Element& request);
OperationResult send_item(Context& context, const Element& request);

OperationResult create_attachment(Context& context, const Element& request);
OperationResult get_attachment(Context& context, const Element& request);
OperationResult delete_attachment(Context& context, const Element& request);

OperationResult subscribe(Context& context, const Element& request);
OperationResult unsubscribe(Context& context, const Element& request);
OperationResult get_events(Context& context, const Element& request);
OperationResult resolve_names(Context& context, const Element& request);
OperationResult get_server_time_zones(Context& context, const Element& request);
OperationResult convert_id(Context& context, const Element& request);

/// Deletes as DeleteItem does: with `type` "MoveToDeletedItems", "SoftDelete" or "HardDelete". Mails nothing.
void dispose(Context& context, const ItemRef& ref, std::string_view type);
/// Whether this folder may hold that kind of item; an error names why not.
syncline::Result<void> check_folder_fits(const Folder& folder, const Item& item);

}  // namespace exchange_sim
