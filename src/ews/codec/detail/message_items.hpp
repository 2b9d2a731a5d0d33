// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// A quick way through the other large reply: GetItem with messages, as a first synchronisation reads them by
// the hundred thousand. The bindings compare each child's name with some forty others.
#include <optional>
#include <string_view>

#include "base/error.hpp"
#include "ews/types/responses.hpp"

namespace syncline::ews::codec {

/// nullopt if the reply is anything else than successful messages of mail with properties that are asked for
/// in a synchronisation, each once; if its text is of a kind that two parsers might take differently
/// (comments, CDATA, bare carriage returns, attributes in namespaces); or if it is not well-formed. Then the
/// bindings have to read it, and to say what is wrong.
std::optional<GetItemResponse> read_message_items(std::string_view xml);

/// The long way, for whoever compares the two.
Result<GetItemResponse> decode_get_item_by_bindings(std::string_view xml);

}  // namespace syncline::ews::codec
