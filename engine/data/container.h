/* container: image sets distributed as a few files with many raw images each. Every reader sets the
 * classes of the stack's listing, adds the images of all parts (test first: image_stack.h) and
 * leaves the listing unsealed. The parts are the official ones.
 *
 * AN_ENOTFOUND and AN_EFORMAT name the file, what is wrong with it and, where the folder fits
 * another kind of data set, that kind. Sizes in a header are compared with the size of its file
 * before memory is allocated. */
#ifndef AN_DATA_CONTAINER_H
#define AN_DATA_CONTAINER_H

#include "data/image_stack.h"

/* source_cifar.c: the binary version of CIFAR-10 or CIFAR-100 (Krizhevsky 2009), in `root` or in
 * its sub-folder cifar-10-batches-bin, cifar-100-binary. A record is the label (CIFAR-100: the
 * coarse and the fine one; the fine one is used) and 3,072 bytes, (3, 32, 32). The class names are
 * those of batches.meta.txt, fine_label_names.txt. */
typedef enum { AN_CIFAR10, AN_CIFAR100 } an_cifar;
an_code an_read_cifar(an_image_stack *stack, const char *root, an_cifar which);

/* source_idx.c: {train,t10k}-{images-idx3,labels-idx1}-ubyte, also with a dot before "idx" and with
 * .gz at the end, in `root`: MNIST, Fashion-MNIST, KMNIST. uint8 images (n, height, width) or
 * (n, height, width, 3). `names` (K): the classes; NULL: numbers. */
an_code an_read_idx(an_image_stack *stack, const char *root, const char *const *names, int K);

/* source_npz.c: {train,val,test}_{images,labels} in an .npz archive, as for MedMNIST (Yang et al.
 * 2023); val may be absent. uint8 images (n, height, width) or (n, height, width, 3), labels (n, 1)
 * or (n). `names` as above. */
an_code an_read_npz(an_image_stack *stack, const char *path, const char *const *names, int K);

#endif
