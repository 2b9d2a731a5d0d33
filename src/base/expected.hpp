// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// `syncline::expected`: the result type across module borders. An alias of tl::expected, because clang 14 cannot
// compile libstdc++'s std::expected; to be swapped for it without touching callers.
#include <tl/expected.hpp>

namespace syncline {

template <class T, class E>
using expected = tl::expected<T, E>;

template <class E>
using unexpected = tl::unexpected<E>;

}  // namespace syncline
