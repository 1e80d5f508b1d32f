// narrow: lumpings of the sites of any graph -> the edits that make the smaller graph (quotient.h does it for what `forward`
// evaluates). R must select: lumpings here have no restriction.
#ifndef NL_NARROW_H
#define NL_NARROW_H

#include "channels.h"
#include "lumping.h"
#include "onnx.h"

// A linear's weights as the smaller network has them, in doubles, alpha and beta included.
typedef struct nl_narrow_linear {
  size_t out, in;  // channels left, all groups together
  double *weights; // (out, in / groups, kernel)
  double *bias;    // (out), or NULL where there is none and no room for one
} nl_narrow_linear;

// ---- axes under lumpings (sites)
const nl_lumping *nl_narrow_lumping(const nl_channels *channels, const nl_lumping *lumpings,
                                    const nl_segment *segment); // NULL where the segment stays whole
bool nl_narrow_changes(const nl_channels *channels, const nl_lumping *lumpings, const nl_axis *axis);
// Which of an axis' positions are kept, ascending, into kept (nl_narrow_length).
size_t nl_narrow_length(const nl_channels *channels, const nl_lumping *lumpings, const nl_axis *axis);
void nl_narrow_kept(const nl_channels *channels, const nl_lumping *lumpings, const nl_axis *axis, size_t *kept);

// Reads a linear as it is in the file. Memory from `arena`.
nl_status nl_narrow_load(nl_narrow_linear *out, const nl_channels *channels, size_t linear, nl_arena *arena,
                         nl_error *error);

// What the lumpings alone make of a linear: rows picked (R), columns folded (W P over every segment of its input), offsets folded
// into the bias (+ W p) where lumping->offset is not zero and there is room. lumpings (sites); k == n where a site stays whole.
nl_status nl_narrow_compensate(nl_narrow_linear *out, const nl_channels *channels, const nl_lumping *lumpings,
                               size_t linear, nl_arena *arena, nl_error *error);

// True when a lumping changes the linear (rows or columns).
bool nl_narrow_touches(const nl_channels *channels, const nl_lumping *lumpings, size_t linear);

// All edits: weights and biases of every linear in `linears` (linear_count; NULL weights: as compensate makes it, where it is
// touched; NULL: all so), riders picked, statements and sizes corrected, group attributes of depthwise convolutions.
// A bias is added where there is room, none so far, and it is not all zeros.
nl_status nl_narrow_edit(nl_edits *edits, const nl_channels *channels, const nl_lumping *lumpings,
                         const nl_narrow_linear *linears, nl_error *error);

// Parameters left when site s keeps widths[s] units; channels->parameters when all are kept. What the written model has, or
// more: a constant that several places read counts for each that gets one of its own, though two may turn out to be alike,
// and every linear that reads fewer channels and has room for a bias is taken to get one.
size_t nl_narrow_parameters(const nl_channels *channels, const size_t *widths);

#endif
