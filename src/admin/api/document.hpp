// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// docs/openapi.json, compiled in.
#include <string_view>

namespace syncline::admin::api {

std::string_view openapi_document() noexcept;

}  // namespace syncline::admin::api
