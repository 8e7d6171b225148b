import ByteIO

/// What people take for checkpoints and is something else: one line each, the first that matches counts.
///
/// A text says what the file is and what to do. Formats that are read come first; this list is asked only
/// about what none of them recognizes.
extension KnownFile {
  // swift-format-ignore
  static let files: [KnownFile] = [
    // Stand-ins for a file that was not downloaded.
    KnownFile(.text("version https://git-lfs.github.com/"), "is a Git LFS pointer{size}; run 'git lfs pull' to get the file itself"),
    KnownFile(.markup("<!doctype html", "<html", "<head"), "is an HTML page, not a checkpoint; the download failed or asks for a login: download the file itself"),
    KnownFile(.markup("<?xml", "<net ") && .contains("<layers>"), "is the graph of an OpenVINO model, which ckpt does not read; export the weights from the original model"),
    KnownFile(.markup("<error>", "<?xml") && .contains("<Code>"), "is an error message of a server in XML; the download failed"),
    KnownFile(.markup("<?xml", "<svg"), "is XML text, not a checkpoint"),
    KnownFile(.text("{\"error\"") || .text("{\"message\"") || .text("{\"detail\"") || .text("{ \"error\""), "is an error message of a server in JSON; the download failed"),
    KnownFile(.text("Access to model") || .text("Invalid username or password") || .text("Entry not found") || .text("Repository Not Found") || .text("Access denied"), "is an error message of a server; the download failed: check the name, and log in where access is restricted"),
    KnownFile(.ends(".crdownload", ".part", ".partial", ".aria2", ".incomplete", ".download"), "is an unfinished download; let it finish, or download it again"),
    KnownFile(.bytes(0, 0x00, 0x05, 0x16, 0x07), "is a file of macOS metadata (AppleDouble); use the file whose name does not begin with '._'"),
    KnownFile(.zeros, "begins with \(FileProbe.headSize) zero bytes: its download or copy is incomplete"),
    // Texts.
    KnownFile(.text("Traceback (most recent call last)") || .contains("\nTraceback (most recent call last)"), "is a Python traceback, not a checkpoint"),
    KnownFile(.contains("Layer (type:depth-idx)"), "is a table of torchinfo, which does not show arguments; save the text of print(model) instead"),
    KnownFile(.contains("Layer (type)") && .contains("Output Shape") && .contains("Param #"), "is a model summary (Keras or torchsummary), which does not show arguments; give the file that model.save or torch.save wrote, or the text of print(model)"),
    KnownFile(.contains("\"cells\"") && .contains("\"cell_type\""), "is a Jupyter notebook, not a checkpoint"),
    KnownFile(.json && .contains("\"weight_map\""), "is the index of a sharded checkpoint; give it a name that ends in .index.json, beside its shards"),
    KnownFile(.json && (.contains("\"model_type\"") || .contains("\"architectures\"") || .contains("\"_class_name\"")), "is a model's configuration (config.json), which holds no weights; give the weights beside it"),
    KnownFile(.json && .contains("\"class_name\"") && .contains("\"layers\""), "is a Keras model's configuration in JSON, which holds no weights; give the .keras or .h5 file"),
    KnownFile(.json && .contains("\"added_tokens\""), "is a tokenizer, which holds no weights"),
    KnownFile(.json, "is JSON text, not a checkpoint"),
    KnownFile(.recipe, "is a recipe, not a model or a checkpoint; pass it with --recipe"),
    KnownFile(.module, "is a printed model, not a checkpoint; see ckpt tree, or make one with ckpt init"),
    KnownFile(.text("tree\nversion="), "is a LightGBM model, which ckpt does not read"),
    KnownFile(.text("7767517"), "is the graph of an ncnn model, which ckpt does not read"),
    KnownFile(.text("#!"), "is a script, not a checkpoint"),
    KnownFile(.source, "is source code, not a checkpoint; run it and save with torch.save(model.state_dict(), FILE), or print(model) for a MODEL (Tools/describe.py describes it in full)"),
    KnownFile(.text("%PDF-"), "is a PDF document, not a checkpoint"),
    // Models of other programs. Marks without a specification are those of Netron's readers (source/tensorrt.js, mxnet.js,
    // darknet.js, rknn.js) and, for Caffe, the field numbers of NetParameter in caffe.proto.
    KnownFile(.bytes(4, "TFL3"), "is a TensorFlow Lite (LiteRT) model, which ckpt does not read; use the model that it was converted from"),
    KnownFile(.bytes(0, "lmgg") || .bytes(0, "fmgg") || .bytes(0, "tjgg") || .bytes(0, "algg") || .bytes(0, "nsgg"), "is a GGML file, a format from before GGUF; convert it with llama.cpp's convert_llama_ggml_to_gguf.py, or use the model that it was made from"),
    KnownFile(.bytes(0, "ftrt") || .bytes(0, "ptrt"), "is a TensorRT engine, whose weights are fused for one GPU and cannot be read; use the model that it was built from"),
    KnownFile(.bytes(0, "MATLAB 5.0 MAT-file") || .bytes(0, "MATLAB 7.0 MAT-file"), "is a MATLAB 5 file, which ckpt does not read; save it in MATLAB with '-v7.3', or convert it with scipy.io.loadmat and numpy.savez"),
    KnownFile(.bytes(0, 0x12, 0x01, 0, 0, 0, 0, 0, 0), "is an MXNet .params file, which ckpt does not read; load it with mx.nd.load and save it with numpy.savez"),
    KnownFile(.caffe, "is a Caffe model, which ckpt does not read; load it with OpenCV or Caffe and save the blobs with numpy.savez"),
    KnownFile(.contains("\nlayer {") || .contains("\nlayers {"), "is the text of a Caffe network, which holds no weights"),
    KnownFile(.darknet, "looks like a Darknet weights file, which has no names or shapes and is not read; convert it with its .cfg by a YOLO converter"),
    KnownFile(.bytes(0, 0x08, 0x01, 0x12) && .contains("saver"), "is the graph of a TensorFlow SavedModel; its variables are in the folder 'variables' beside it"),
    KnownFile(.text("model_checkpoint_path:"), "names the latest of the TensorFlow checkpoints beside it; name the folder, or a checkpoint's .index file"),
    KnownFile(.dataShard, "holds values of a TensorFlow checkpoint; name its .index file, which lists them"),
    KnownFile(.bytes(0, 0x0c, 0xdb, 0x3a, 0x2a), "is the manifest of an OCDBT database (Orbax, TensorStore), which ckpt does not read; restore the checkpoint with orbax.checkpoint and save it with safetensors.flax.save_file"),
    KnownFile(.bytes(23, "brain.Event:2"), "is a TensorBoard event file, which holds no weights"),
    KnownFile(.bytes(0, "CBM1"), "is a CatBoost model, which ckpt does not read"),
    KnownFile(.bytes(0, "{L") && .contains("learner"), "is an XGBoost model, which ckpt does not read"),
    KnownFile(.bytes(0, "binf") || .bytes(0, "bs64"), "is an XGBoost model, which ckpt does not read"),
    KnownFile(.bytes(0, 0xba, 0x16, 0x4f, 0x2f), "is a fastText model, which ckpt does not read; load it with fasttext and save the vectors with numpy.savez"),
    KnownFile(.bytes(0, "RKNN") || .bytes(4, "RKNN") || .bytes(0, "RKNX") || .bytes(0, "CYPTRKNN"), "is an RKNN model, which ckpt does not read; use the model that it was converted from"),
    KnownFile(.zip && .ends(".mar"), "is a TorchServe archive; unpack it (it is a zip) and give the checkpoint inside"),
    // Containers.
    KnownFile(.bytes(0, 0x04, 0x22, 0x4d, 0x18), "is compressed with lz4; unpack it first: unlz4 FILE"),
    KnownFile(.bytes(0, 0x37, 0x7a, 0xbc, 0xaf, 0x27, 0x1c), "is a 7-Zip archive; unpack it first: 7z x FILE"),
    KnownFile(.bytes(0, "Rar!"), "is a RAR archive; unpack it first"),
    KnownFile(.zip, "is a zip archive, not a checkpoint{member}"),
    KnownFile(.bytes(257, "ustar"), "is a tar archive whose first header is damaged"),
    // Data of other kinds.
    KnownFile(.bytes(0, 0x89, 0x50, 0x4e, 0x47), "is a PNG image, not a checkpoint"),
    KnownFile(.bytes(0, 0xff, 0xd8, 0xff), "is a JPEG image, not a checkpoint"),
    KnownFile(.bytes(0, "GIF8"), "is a GIF image, not a checkpoint"),
    KnownFile(.bytes(0, "RIFF"), "is a RIFF file (audio, video, or a WebP image), not a checkpoint"),
    KnownFile(.bytes(4, "ftyp"), "is a media file (MP4, HEIC), not a checkpoint"),
    KnownFile(.bytes(0, 0x7f, 0x45, 0x4c, 0x46), "is a program or a library (ELF), not a checkpoint"),
    KnownFile(.bytes(0, "MZ") && .contains("PE\0\0"), "is a Windows program, not a checkpoint"),
    KnownFile(.bytes(0, "SQLite format 3"), "is an SQLite database, not a checkpoint"),
    KnownFile(.bytes(0, "PAR1"), "is a Parquet file, not a checkpoint"),
    KnownFile(.bytes(0, "ARROW1"), "is an Arrow file, not a checkpoint"),
    KnownFile(.bytes(0, "Obj\u{1}"), "is an Avro file, not a checkpoint"),
    // Only the name tells these; their content has no mark.
    KnownFile(.ends(".engine", ".plan", ".trt"), "is named like a TensorRT engine, whose weights are fused for one GPU and cannot be read; use the model that it was built from"),
    KnownFile(.ends(".caffemodel"), "is named like a Caffe model, which ckpt does not read; load it with OpenCV or Caffe and save the blobs with numpy.savez"),
    KnownFile(.ends(".prototxt"), "is named like the text of a Caffe network, which holds no weights"),
    KnownFile(.ends(".weights"), "is named like a Darknet weights file, which has no names or shapes and is not read; convert it with its .cfg by a YOLO converter"),
    KnownFile(.ends(".mlmodel", ".mlmodelc"), "is named like a Core ML model, which ckpt does not read; use the model that it was converted from"),
    KnownFile(.ends(".pb"), "is named like a TensorFlow graph, which ckpt does not read; the variables of a SavedModel are in the folder 'variables' beside it"),
    KnownFile(.ends(".pdmodel"), "is named like the graph of a PaddlePaddle model; the weights are in the .pdparams or .pdiparams file"),
    KnownFile(.ends(".pdiparams"), "is named like the parameters of a PaddlePaddle inference model, which have no names and are not read; use the .pdparams file"),
    KnownFile(.ends("tokenizer.model", ".spm", ".spiece.model"), "is named like a tokenizer, which holds no weights"),
  ]

  /// The same of folders, by the names in them.
  // swift-format-ignore
  static let folders: [KnownFile] = [
    KnownFile(.holds("data.pkl") && .holds("data"), "is a PyTorch file that was unpacked (it holds data.pkl); pack it again without compression: zip -0 -r ../model.pt . (in a folder around it)"),
    KnownFile(.holds("data.pkl"), "is a part of a PyTorch file that was unpacked (it holds data.pkl); pack the whole again without compression with zip -0 -r"),
    KnownFile(.holds("latest_checkpointed_iteration.txt") || .holds(beginning: "mp_rank_"), "is a Megatron folder, whose files each hold the part of one rank; convert it with Megatron's tools, or name one file, such as mp_rank_00/model_optim_rng.pt"),
    KnownFile(.holds(ending: ".distcp"), "holds files of a distributed checkpoint, but not its .metadata file; copy that as well"),
    KnownFile(.holds("model_index.json"), "is a diffusers pipeline without the weights, which are files in its folders (unet, transformer, vae, text_encoder); copy those as well"),
    KnownFile(.holds(beginning: "model_world_size_"), "holds the files of FSDP ranks (model_world_size_*_rank_*.pt), which ckpt does not join; merge them with verl's model_merger, or name one of the files to see its part"),
    KnownFile(.holds(beginning: "pytorch_model_rank") || .holds(beginning: "rank_0.") || .holds(beginning: "rank0.") || .holds(beginning: "model_state_rank"), "holds the files of several ranks (FSDP, for example), which ckpt does not join; save a full state dict, or name one of the files to see its part"),
    KnownFile(.holds("blobs") && .holds("snapshots"), "is a model's folder in the Hugging Face cache; name the folder of a revision in snapshots"),
    KnownFile(.holds("Manifest.json") && .holds("Data"), "is a Core ML package, which ckpt does not read; use the model that it was converted from"),
    KnownFile(.holds("saved_model.pb"), "is a TensorFlow SavedModel without the folder 'variables', which has its values"),
    KnownFile(.holds("manifest.ocdbt") || .holds(beginning: "ocdbt.process_") || .holds("_CHECKPOINT_METADATA") || .holds("_METADATA"), "is an Orbax checkpoint (OCDBT or Zarr), which ckpt does not read; restore it with orbax.checkpoint and save it with safetensors.flax.save_file"),
    KnownFile(.holds(".zgroup") || .holds("zarr.json") || .holds(".zarray"), "is a Zarr store, which ckpt does not read"),
    KnownFile(.holds("MAR-INF"), "is an unpacked TorchServe archive; give the checkpoint inside"),
    KnownFile(.holds(ending: ".xml") && .holds(ending: ".bin"), "holds an OpenVINO model, which ckpt does not read"),
    KnownFile(.holds("checkpoints"), "is not a checkpoint itself; name one in its folder checkpoints"),
  ]
}
