// PyTorch checkpoints (.pth, .pt, .ckpt): zip archives as torch.save has written them since PyTorch 1.6, read
// without executing anything and written so that torch.load(weights_only=True) opens them from PyTorch 1.13
// on.
//
// Layout of the archive, under any one root folder: data.pkl (the pickled value, whose tensors name a storage
// by a key), data/<key> (the raw elements), byteorder, version. Legacy files from before 1.6, tar files and
// TorchScript are refused with advice. Objects of whatever class beside the tensors (a trainer's arguments,
// its scheduler, its callbacks) are skipped: nothing is executed, so a class that plays no part is no reason
// to refuse.
#pragma once

#include "format/checkpoint.h"

namespace maeil::format {

// As open_checkpoint, which calls it for files that begin as a zip archive does.
[[nodiscard]] Result<std::unique_ptr<CheckpointFile>> open_torch(std::string_view bytes,
                                                                 const std::string& name);

// The bytes of a checkpoint {"model_state_dict": OrderedDict of `state`, and the keys of the object
// `extras`}. Equal arguments give equal bytes. The elements are written unchanged, entries are stored.
// PyTorch 1.13's weights_only reader knows no Python float, so floats in `extras` are written as float64
// tensors: a single one without dimension (float(x) in Python), a list of floats only as one of one
// dimension. kBadInput: a shape that does not fit its elements, a repeated name, extras nested deeper than
// 100.
[[nodiscard]] Result<std::string> write_checkpoint(const std::vector<Tensor>& state,
                                                   const nlohmann::ordered_json& extras);
// The bytes of a plain state dict.
[[nodiscard]] Result<std::string> write_state_dict(const std::vector<Tensor>& state);

}  // namespace maeil::format
